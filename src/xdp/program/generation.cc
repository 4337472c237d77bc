// SPDX-License-Identifier: BSD-3-Clause
// The first port's skeleton has the instance's tables; those of the other ports share them.
// Streams, counters and flows are everybody's.

#include "src/xdp/program/generation.h"

#include <fcntl.h>

#include <algorithm>

#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

// For twice as many elements as are needed now, and for some at least.
uint32_t Room(size_t needed) {
  size_t room = 1024;
  while (room < 2 * needed) room *= 2;
  return Elements(room);
}

}  // namespace

struct XdpGeneration::Loaded {
  std::vector<Skeleton> skeletons;  // one for each port
  std::vector<int> programs;        // their descriptors, borrowed
  bool flows = false;
  PolicyArrays arrays;
};

XdpGeneration::XdpGeneration(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
XdpGeneration::~XdpGeneration() = default;

int XdpGeneration::fd(size_t port) const { return loaded_->programs[port]; }

bool XdpGeneration::Holds(const CompiledPolicy& policy) const {
  if (policy.has_flows && !loaded_->flows) return false;
  bool holds = true;
  loaded_->arrays.ForEach(loaded_->skeletons.front(), policy,
                          [&holds](const bpf_map* map, const auto& values, const auto&) {
                            holds &= values.size() <= bpf_map__max_entries(map);
                          });
  return holds;
}

absl::StatusOr<std::unique_ptr<XdpGeneration>> XdpGeneration::Load(
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
    std::vector<const bpf_map*> of_policy;
    loaded->arrays.ForEach(skeleton, policy,
                           [&of_policy](bpf_map* map, const auto& values, const auto&) {
                             bpf_map__set_max_entries(map, Room(values.size()));
                             of_policy.push_back(map);
                           });

    const auto shared_fd = [&](const bpf_map* map) {
      auto& maps = skeleton->maps;
      const bool of_instance =
          std::find(of_policy.begin(), of_policy.end(), map) != of_policy.end();
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
    absl::Status entered = tables->EnterOutPorts(skeleton->maps.tp_out_ports, false);
    if (!entered.ok()) return entered;
    loaded->programs.push_back(bpf_program__fd(program));
    loaded->skeletons.push_back(std::move(skeleton));
  }
  auto& maps = loaded->skeletons.front()->maps;
  absl::Status mapped = loaded->arrays.Map(loaded->skeletons.front(), policy);
  if (!mapped.ok()) return mapped;
  if (makes_flows) {
    FileDescriptor made(fcntl(bpf_map__fd(maps.tp_flows), F_DUPFD_CLOEXEC, 0));
    FileDescriptor regions(fcntl(bpf_map__fd(maps.tp_flow_regions), F_DUPFD_CLOEXEC, 0));
    if (made.get() < 0 || regions.get() < 0) return KernelError("fcntl(F_DUPFD_CLOEXEC)", errno);
    tables->flows_map_ = std::move(made);
    tables->flow_regions_map_ = std::move(regions);
    tables->flows_ = flows;
  }
  return std::unique_ptr<XdpGeneration>(new XdpGeneration(std::move(loaded)));
}

void XdpGeneration::Write(const CompiledPolicy& policy, const std::vector<uint32_t>& only) {
  loaded_->arrays.Write(loaded_->skeletons.front(), policy);
  for (size_t port = 0; port < only.size(); port++)
    XdpTables::SetLive(policy, port, only[port], &loaded_->skeletons[port]->data_live->tp_live);
  // Attaching the program, a system call, comes after all of this.
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

}  // namespace twinpath
