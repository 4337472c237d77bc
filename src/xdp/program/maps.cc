// SPDX-License-Identifier: BSD-3-Clause
// Creates the shared maps with a skeleton that loads no program.

#include "src/xdp/program/maps.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

// The number of slots besides those of the first policy: for policies with more rules, and for
// rules that start again while the old ones still run. As many as the first policy has and at least
// 4,096, but not more than fit into 64 MiB for all queues together.
size_t SpareSlots(size_t rules, uint32_t queues) {
  const size_t room = (size_t{64} << 20) / (sizeof(tp_state) * std::max<uint32_t>(queues, 1));
  return std::min(std::max<size_t>(rules, 4096), room);
}

// Creates an array map like `like`, with `elements` elements.
absl::StatusOr<FileDescriptor> MakeArray(const bpf_map* like, uint32_t elements) {
  bpf_map_create_opts options = {};
  options.sz = sizeof(options);
  options.map_flags = bpf_map__map_flags(like);
  const int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, bpf_map__name(like), bpf_map__key_size(like),
                                bpf_map__value_size(like), elements, &options);
  if (fd < 0)
    return KernelError(absl::StrCat("making ", bpf_map__name(like), " of ", elements, " elements"),
                       -fd);
  return FileDescriptor(fd);
}

}  // namespace

struct XdpMaps::Kernel {
  Skeleton skeleton;
  MappedArray<tp_state> streams;
  MappedArray<tp_rule_extras> rule_extras;
};

XdpMaps::XdpMaps(const std::vector<uint32_t>& queues)
    : queues_(queues), kernel_(std::make_unique<Kernel>()) {
  for (const uint32_t count : queues_) {
    first_queue_.push_back(total_queues_);
    total_queues_ += count;
  }
}

XdpMaps::~XdpMaps() = default;

absl::StatusOr<std::unique_ptr<XdpMaps>> XdpMaps::Create(const CompiledPolicy& policy,
                                                         const std::vector<uint32_t>& queues,
                                                         uint64_t flow_memory, bool reloadable) {
  xdp::CaptureLibbpfLog();
  std::unique_ptr<XdpMaps> made(new XdpMaps(queues));
  const uint32_t total = made->total_queues_;
  if (total > TP_MAX_XDP_QUEUES)
    return absl::ResourceExhaustedError(absl::StrCat(
        "found ", total, " RX queues on all ports, allowed ", static_cast<int>(TP_MAX_XDP_QUEUES)));
  const size_t rules = policy.rules.size();
  const size_t slots = rules + (reloadable ? SpareSlots(rules, total) : 0);
  const size_t streams = slots * total;
  if (streams > UINT32_MAX / sizeof(tp_state))
    return absl::ResourceExhaustedError(absl::StrCat(
        rules, " rules on ", total, " RX queues have more streams than a map can hold"));
  made->slots_ = static_cast<uint32_t>(slots);
  made->reloadable_ = reloadable;
  made->has_rule_extras_ = policy.rule_extras || reloadable;
  if (policy.has_flows) made->flows_ = FlowTableWithin(flow_memory);
  Kernel& kernel = *made->kernel_;
  kernel.skeleton.reset(twinpath_bpf__open());
  if (!kernel.skeleton) return KernelError("opening the XDP object", errno);
  auto& maps = kernel.skeleton->maps;
  bpf_map__set_max_entries(maps.tp_states, Elements(streams));
  bpf_map__set_max_entries(maps.tp_rule_extras, Elements(made->has_rule_extras_ ? streams : 0));
  bpf_map__set_max_entries(maps.tp_flows, Elements(made->flows_.buckets()));
  bpf_map__set_max_entries(maps.tp_flow_regions, Elements(made->flows_.regions));
  SelectProgram(kernel.skeleton, nullptr);
  const int error = twinpath_bpf__load(kernel.skeleton.get());
  if (error)
    return KernelError(absl::StrCat("making the maps for ", rules, " rules and ", total,
                                    " RX queues, and ", made->flows_.bytes(), " bytes of flows"),
                       -error);
  for (size_t port = 0; port < TP_MAX_PORTS; port++) made->SetOutPort(port, 0, UINT32_MAX);
  absl::Status status = kernel.streams.Map(maps.tp_states);
  status.Update(kernel.rule_extras.Map(maps.tp_rule_extras));
  if (!status.ok()) return status;
  return made;
}

tp_xdp_queue& XdpMaps::queue(size_t generation, size_t port, uint32_t queue) const {
  const size_t record = generation * TP_MAX_XDP_QUEUES + first_queue_[port] + queue;
  return kernel_->skeleton->bss->tp_queues[record];
}

tp_state* XdpMaps::streams(size_t port, uint32_t queue) const {
  return kernel_->streams.get() + size_t{first_queue_[port] + queue} * slots_;
}

tp_rule_extras* XdpMaps::rule_extras(size_t port, uint32_t queue) const {
  if (!has_rule_extras_) return nullptr;
  return kernel_->rule_extras.get() + size_t{first_queue_[port] + queue} * slots_;
}

tp_queue_extras& XdpMaps::extras(size_t port, uint32_t queue) const {
  return kernel_->skeleton->bss->tp_queue_extras[first_queue_[port] + queue];
}

const tp_count& XdpMaps::strays(size_t port) const {
  return kernel_->skeleton->bss->tp_strays[port];
}

void XdpMaps::SetOutPort(size_t port, uint32_t interface, uint32_t longest) {
  tp_out_port& out = kernel_->skeleton->bss->tp_outs[port];
  __atomic_store_n(&out.interface, interface, __ATOMIC_RELAXED);
  __atomic_store_n(&out.longest, longest, __ATOMIC_RELAXED);
}

const tp_count& XdpMaps::too_long(size_t port) const {
  return kernel_->skeleton->bss->tp_too_long[port];
}

void XdpMaps::SetLongFrames(size_t port, bool sent) {
  __atomic_store_n(&kernel_->skeleton->bss->tp_long_frames[port], sent, __ATOMIC_RELAXED);
}

absl::Status XdpMaps::MakeFlows(uint64_t flow_memory) {
  const FlowTableShape shape = FlowTableWithin(flow_memory);
  const auto& maps = kernel_->skeleton->maps;
  auto buckets = MakeArray(maps.tp_flows, Elements(shape.buckets()));
  if (!buckets.ok()) return buckets.status();
  auto regions = MakeArray(maps.tp_flow_regions, Elements(shape.regions));
  if (!regions.ok()) return regions.status();
  flow_buckets_ = *std::move(buckets);
  flow_regions_ = *std::move(regions);
  flows_ = shape;
  return absl::OkStatus();
}

bool XdpMaps::ReadFlows(uint32_t bucket, tp_flow_bucket* copy) const {
  return bpf_map_lookup_elem(SharedMap("tp_flows"), &bucket, copy) == 0;
}

void XdpMaps::SetClock(uint64_t now) {
  clock_given_ = true;
  __atomic_store_n(&kernel_->skeleton->bss->tp_clock, now, __ATOMIC_RELAXED);
}

int XdpMaps::SharedMap(std::string_view name) const {
  const Skeleton& skeleton = kernel_->skeleton;
  const bpf_map* map = bpf_object__find_map_by_name(skeleton->obj, std::string(name).c_str());
  if (map == nullptr || IsTable(skeleton, map) || IsProgramsOwn(skeleton, map)) return -1;
  if (map == skeleton->maps.tp_flows && flow_buckets_.get() >= 0) return flow_buckets_.get();
  if (map == skeleton->maps.tp_flow_regions && flow_regions_.get() >= 0) return flow_regions_.get();
  return bpf_map__fd(map);
}

absl::Status XdpMaps::Pin(const std::string& folder) const {
  const Skeleton& skeleton = kernel_->skeleton;
  const bpf_map* map;
  bpf_object__for_each_map(map, skeleton->obj) {
    if (IsTable(skeleton, map) || IsProgramsOwn(skeleton, map)) continue;
    if (absl::Status pinned = PinMap(map, folder); !pinned.ok()) return pinned;
  }
  return absl::OkStatus();
}

}  // namespace twinpath
