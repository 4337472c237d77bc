// SPDX-License-Identifier: BSD-3-Clause
// The first port's skeleton has the instance's tables; those of the other ports share them.
// Streams, counters and flows are everybody's.

#include "src/xdp/instance.h"

#include <fcntl.h>

#include <array>

#include "src/xdp/skeleton.h"

namespace twinpath {
namespace {

// At least so many elements, and twice what is needed now.
uint32_t Room(size_t needed, size_t least) {
  size_t room = least;
  while (room < 2 * needed) room *= 2;
  return Elements(room);
}

struct Size {
  bpf_map* map;
  size_t needed, least;
};

// What a policy takes of each of its tables.
std::array<Size, 6> SizesOf(const Skeleton& skeleton, const CompiledPolicy& policy) {
  auto& maps = skeleton->maps;
  return {{{maps.tp_buckets, policy.buckets.size(), 1024},
           {maps.tp_entries, policy.entries.size(), 1024},
           {maps.tp_rules, policy.rules.size(), 1024},
           {maps.tp_details, policy.details.size(), 256},
           {maps.tp_links, policy.links.size(), 256},
           {maps.tp_runs, policy.runs.size(), 1024}}};
}

}  // namespace

struct XdpInstance::Loaded {
  std::vector<Skeleton> skeletons;  // one for each port
  std::vector<int> programs;        // their descriptors, borrowed
  bool flows = false;
  MappedArray<tp_bucket> buckets;
  MappedArray<tp_key> entries;
  MappedArray<tp_rule> rules;
  MappedArray<tp_detail> details;
  MappedArray<tp_link> links;
  MappedArray<tp_run> runs;
};

XdpInstance::XdpInstance(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
XdpInstance::~XdpInstance() = default;

int XdpInstance::fd(size_t port) const { return loaded_->programs[port]; }

bool XdpInstance::Holds(const CompiledPolicy& policy) const {
  if (policy.has_flows && !loaded_->flows) return false;
  for (const Size& size : SizesOf(loaded_->skeletons.front(), policy))
    if (size.needed > bpf_map__max_entries(size.map)) return false;
  return true;
}

absl::StatusOr<std::unique_ptr<XdpInstance>> XdpInstance::Load(
    XdpTables* tables, const CompiledPolicy& policy, const std::vector<XdpProgram::Frames>& frames,
    uint64_t flow_memory) {
  auto loaded = std::make_unique<Loaded>();
  const bool makes_flows = policy.has_flows && tables->flows_.regions == 0;
  const FlowTableShape flows = makes_flows ? FlowTableWithin(flow_memory) : tables->flows_;
  loaded->flows = flows.regions != 0;
  for (size_t port = 0; port < frames.size(); port++) {
    Skeleton skeleton(twinpath_bpf__open());
    if (!skeleton) return KernelError("opening the XDP object", errno);
    const std::string name = absl::StrCat("tp_any_", FramesName(frames[port]));
    bpf_program* program = SelectProgram(skeleton, name.c_str());
    if (frames[port] == XdpProgram::Frames::kFragments)
      bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);
    for (const Size& size : SizesOf(skeleton, policy))
      bpf_map__set_max_entries(size.map, Room(size.needed, size.least));

    const auto shared_fd = [&](const bpf_map* map) {
      auto& maps = skeleton->maps;
      bool of_instance = false;
      for (const Size& size : SizesOf(skeleton, policy)) of_instance |= size.map == map;
      const bool of_flows = map == maps.tp_flows || map == maps.tp_flow_regions;
      if (IsProgramsOwn(skeleton, map)) return -1;
      if (port == 0 && (of_instance || (of_flows && makes_flows))) return -1;
      if (map == maps.tp_flows && tables->flows_map_.get() >= 0) return tables->flows_map_.get();
      if (map == maps.tp_flow_regions && tables->flow_regions_map_.get() >= 0)
        return tables->flow_regions_map_.get();
      const Skeleton& from = of_instance || (of_flows && makes_flows) ? loaded->skeletons.front()
                                                                      : tables->kernel_->skeleton;
      return bpf_map__fd(bpf_object__find_map_by_name(from->obj, bpf_map__name(map)));
    };
    if (makes_flows) {
      bpf_map__set_max_entries(skeleton->maps.tp_flows, Elements(flows.buckets()));
      bpf_map__set_max_entries(skeleton->maps.tp_flow_regions, Elements(flows.regions));
    }
    bpf_map* map;
    bpf_object__for_each_map(map, skeleton->obj) {
      const int fd = shared_fd(map);
      const int error = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
      if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
    }
    tp_constants& constants = skeleton->rodata->tp_constants;
    tables->SetConstants(port, &constants);
    constants.regions = flows.regions;
    constants.region_buckets = flows.region_buckets;
    const int error = twinpath_bpf__load(skeleton.get());
    if (error)
      return KernelError(absl::StrCat("port ", policy.ports[port], ": loading ", name), -error);
    absl::Status entered = tables->EnterOutPorts(skeleton->maps.tp_out_ports);
    if (!entered.ok()) return entered;
    loaded->programs.push_back(bpf_program__fd(program));
    loaded->skeletons.push_back(std::move(skeleton));
  }
  auto& maps = loaded->skeletons.front()->maps;
  absl::Status status = loaded->buckets.Map(maps.tp_buckets);
  status.Update(loaded->entries.Map(maps.tp_entries));
  status.Update(loaded->rules.Map(maps.tp_rules));
  status.Update(loaded->details.Map(maps.tp_details));
  status.Update(loaded->links.Map(maps.tp_links));
  status.Update(loaded->runs.Map(maps.tp_runs));
  if (!status.ok()) return status;
  if (makes_flows) {
    FileDescriptor made(fcntl(bpf_map__fd(maps.tp_flows), F_DUPFD_CLOEXEC, 0));
    FileDescriptor regions(fcntl(bpf_map__fd(maps.tp_flow_regions), F_DUPFD_CLOEXEC, 0));
    if (made.get() < 0 || regions.get() < 0) return KernelError("fcntl(F_DUPFD_CLOEXEC)", errno);
    tables->flows_map_ = std::move(made);
    tables->flow_regions_map_ = std::move(regions);
    tables->flows_ = flows;
  }
  return std::unique_ptr<XdpInstance>(new XdpInstance(std::move(loaded)));
}

void XdpInstance::Write(const CompiledPolicy& policy, const std::vector<uint32_t>& only) {
  std::copy(policy.buckets.begin(), policy.buckets.end(), loaded_->buckets.get());
  std::copy(policy.entries.begin(), policy.entries.end(), loaded_->entries.get());
  std::copy(policy.rules.begin(), policy.rules.end(), loaded_->rules.get());
  std::copy(policy.details.begin(), policy.details.end(), loaded_->details.get());
  std::copy(policy.links.begin(), policy.links.end(), loaded_->links.get());
  std::copy(policy.runs.begin(), policy.runs.end(), loaded_->runs.get());
  for (size_t port = 0; port < only.size(); port++)
    XdpTables::SetLive(policy, port, only[port], &loaded_->skeletons[port]->data_live->tp_live);
  // Attaching the program, a system call, comes after all of this.
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

}  // namespace twinpath
