// SPDX-License-Identifier: BSD-3-Clause
// The skeleton's set-up: sizes, contents, instances.

#include "src/xdp/program/bpf_object.h"

#include <fcntl.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"
#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

// What a port's shapes look at: nothing, few words of the key, or all; or that its rules may ask
// for anything.
const char* WordsNeeded(const CompiledPolicy& policy, size_t port) {
  const tp_plan& plan = policy.plans[port];
  if (plan.tier == TP_TIER_GENERAL) return "any";
  if (plan.n_shapes == 0) return "all";
  uint32_t words = 0;
  for (uint32_t i = 0; i < plan.n_shapes; i++) {
    uint64_t mask[TP_KEY_WORDS];
    std::memcpy(mask, &policy.shapes[plan.first_shape + i].mask, sizeof(mask));
    for (int word = 0; word < TP_KEY_WORDS; word++)
      if (mask[word]) words |= TP_WORD(word);
    if (policy.shapes[plan.first_shape + i].mask.length) words |= TP_WORD_LENGTH;
  }
  return (words & ~static_cast<uint32_t>(TP_TUPLE_WORDS)) ? "full" : "narrow";
}

// For policies of more rules, and for rules that begin anew while others still run: as many as
// there are, or 4,096, but no more than take 64 MiB over all queues.
size_t SpareSlots(size_t rules, uint32_t queues) {
  const size_t room = (size_t{64} << 20) / (sizeof(tp_state) * std::max<uint32_t>(queues, 1));
  return std::min(std::max<size_t>(rules, 4096), room);
}

// Each program has a devmap of its own, which goes by the name of the one in the object. An error
// is an errno.
int DevmapsOf(int program, std::vector<FileDescriptor>* devmaps) {
  std::vector<uint32_t> maps(64);
  bpf_prog_info info = {};
  uint32_t length = sizeof(info);
  info.nr_map_ids = static_cast<uint32_t>(maps.size());
  info.map_ids = reinterpret_cast<uint64_t>(maps.data());
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0) return errno;
  maps.resize(std::min<size_t>(maps.size(), info.nr_map_ids));
  for (const uint32_t id : maps) {
    FileDescriptor map(bpf_map_get_fd_by_id(id));
    bpf_map_info about = {};
    length = sizeof(about);
    if (map.get() < 0 || bpf_obj_get_info_by_fd(map.get(), &about, &length) != 0) continue;
    if (about.type == BPF_MAP_TYPE_DEVMAP) devmaps->push_back(std::move(map));
  }
  return 0;
}

}  // namespace

XdpTables::XdpTables(CompiledPolicy policy, const std::vector<uint32_t>& queues)
    : policy_(std::move(policy)),
      queues_(queues),
      xdp_tx_(queues.size(), true),
      kernel_(std::make_unique<Kernel>()) {
  for (uint32_t count : queues_) {
    first_queue_.push_back(total_queues_);
    total_queues_ += count;
  }
  for (const tp_plan& plan : policy_.plans) {
    sole_.push_back(plan.tier == TP_TIER_BLIND);
    only_rule_.push_back(plan.tier == TP_TIER_BLIND ? plan.fallback : TP_NO_RULE);
  }
}

XdpTables::~XdpTables() = default;

absl::StatusOr<std::unique_ptr<XdpTables>> XdpTables::Create(CompiledPolicy policy,
                                                             const std::vector<uint32_t>& queues,
                                                             uint64_t flow_memory,
                                                             bool reloadable) {
  xdp::CaptureLibbpfLog();
  std::unique_ptr<XdpTables> tables(new XdpTables(std::move(policy), queues));
  const CompiledPolicy& compiled = tables->policy_;
  if (tables->total_queues_ > TP_MAX_XDP_QUEUES)
    return absl::ResourceExhaustedError(absl::StrCat("the ports have ", tables->total_queues_,
                                                     " RX queues; at most ",
                                                     static_cast<int>(TP_MAX_XDP_QUEUES)));
  size_t slots = compiled.rules.size();
  if (reloadable) slots += SpareSlots(slots, tables->total_queues_);
  const size_t states = slots * tables->total_queues_;
  if (states > UINT32_MAX / sizeof(tp_state))
    return absl::ResourceExhaustedError(
        absl::StrCat(compiled.rules.size(), " rules on ", tables->total_queues_,
                     " RX queues are more streams than a map holds"));
  tables->slots_ = static_cast<uint32_t>(slots);
  tables->slot_used_.assign(slots, false);
  std::fill_n(tables->slot_used_.begin(), compiled.rules.size(), true);
  Kernel& kernel = *tables->kernel_;
  kernel.skeleton.reset(twinpath_bpf__open());
  if (!kernel.skeleton) return KernelError("opening the XDP object", errno);
  auto& maps = kernel.skeleton->maps;
  kernel.policy.ForEach(kernel.skeleton, compiled,
                        [](bpf_map* map, const auto& values, const auto&) {
                          bpf_map__set_max_entries(map, Elements(values.size()));
                        });
  bpf_map__set_max_entries(maps.tp_states, Elements(states));
  bpf_map__set_max_entries(maps.tp_mark_counts,
                           Elements(compiled.marks || reloadable ? states : 0));
  if (compiled.has_flows) tables->flows_ = FlowTableWithin(flow_memory);
  bpf_map__set_max_entries(maps.tp_flows, Elements(tables->flows_.buckets()));
  bpf_map__set_max_entries(maps.tp_flow_regions, Elements(tables->flows_.regions));
  SelectProgram(kernel.skeleton, nullptr);
  const int error = twinpath_bpf__load(kernel.skeleton.get());
  if (error)
    return KernelError(absl::StrCat("making the maps for ", compiled.rules.size(), " rules and ",
                                    tables->total_queues_, " RX queues, and ",
                                    tables->flows_.octets(), " octets of flows"),
                       -error);

  std::vector<tp_state> initial(states);
  for (size_t port = 0; port < queues.size(); port++) {
    for (uint32_t queue = 0; queue < queues[port]; queue++) {
      const std::vector<tp_state> streams = InitialStates(compiled, port, queue);
      std::copy(
          streams.begin(), streams.end(),
          initial.begin() + static_cast<std::ptrdiff_t>(slots * tables->QueueIndex(port, queue)));
      kernel.skeleton->bss->tp_queues[tables->first_queue_[port] + queue].only =
          streams[compiled.plans[port].fallback];
    }
  }
  absl::Status status = kernel.policy.Map(kernel.skeleton, compiled);
  status.Update(kernel.states.Map(maps.tp_states));
  status.Update(kernel.marked.Map(maps.tp_mark_counts));
  if (!status.ok()) return status;
  kernel.policy.Write(kernel.skeleton, compiled);
  std::copy(initial.begin(), initial.end(), kernel.states.get());
  return tables;
}

const tp_xdp_queue& XdpTables::SharedQueue(size_t port, uint32_t queue) const {
  return kernel_->skeleton->bss->tp_queues[QueueIndex(port, queue)];
}

void XdpTables::SetClock(uint64_t now) {
  clock_given_ = true;
  __atomic_store_n(&kernel_->skeleton->bss->tp_clock, now, __ATOMIC_RELAXED);
}

void XdpTables::SetOrigin(uint64_t now) {
  twinpath::SetOrigin(now, &policy_);
  tp_when* whens = kernel_->policy.whens.get();
  for (size_t i = 0; i < policy_.whens.size(); i++)
    __atomic_store_n(&whens[i].origin, now, __ATOMIC_RELAXED);
}

tp_queue_extras XdpTables::Extras(size_t port, uint32_t queue) const {
  return CopyCounters(kernel_->skeleton->bss->tp_queue_extras[QueueIndex(port, queue)]);
}

tp_queue_counters XdpTables::Counters(size_t port, uint32_t queue) const {
  const tp_xdp_queue& first = SharedQueue(port, queue);
  const tp_xdp_queue& live = kernel_->skeleton->bss->tp_live_queues[QueueIndex(port, queue)];
  tp_queue_counters counters = {};
  tp_count counted = {};  // verdicts of the first policy
  const auto sum = [&](const tp_count& of_first, const tp_count& of_live) {
    tp_count both = tp_count_read(&of_live);
    const tp_count one = tp_count_read(&of_first);
    tp_count_sum(&counted, &one);
    tp_count_sum(&both, &one);
    return both;
  };
  // Verdicts first: the kernel counts a frame as received before it counts its verdict.
  for (size_t i = 0; i < TP_VERDICTS; i++)
    counters.verdict[i] = sum(first.counters.verdict[i], live.counters.verdict[i]);
  for (size_t i = 0; i < TP_MAX_PORTS; i++)
    counters.tx[i] = sum(first.counters.tx[i], live.counters.tx[i]);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  // A program that looks at no header counts what it receives by its one stream, which other
  // policies may go on with: then no frame is on its way through that program any more.
  if (sole(port) && reloads_ == 0)
    counters.rx = {.packets = tp_count_load(&first.only.n), .bytes = counted.bytes};
  else if (sole(port))
    counters.rx = counted;
  else
    counters.rx = tp_count_read(&first.counters.rx);
  const tp_count received = tp_count_read(&live.counters.rx);
  tp_count_sum(&counters.rx, &received);
  return counters;
}

int32_t XdpTables::Cpu(size_t port, uint32_t queue) const {
  const tp_xdp_queue& live = kernel_->skeleton->bss->tp_live_queues[QueueIndex(port, queue)];
  uint32_t cpu = __atomic_load_n(&live.cpu, __ATOMIC_RELAXED);
  if (cpu == 0) cpu = __atomic_load_n(&SharedQueue(port, queue).cpu, __ATOMIC_RELAXED);
  return static_cast<int32_t>(cpu) - 1;
}

absl::Span<const tp_state> XdpTables::states(size_t port, uint32_t queue) const {
  if (sole(port)) return {&SharedQueue(port, queue).only, 1};
  return {kernel_->states.get() + size_t{QueueIndex(port, queue)} * slots_, policy_.rules.size()};
}

const tp_count& XdpTables::strays(size_t port) const {
  return kernel_->skeleton->bss->tp_strays[port];
}

absl::Status XdpTables::Pin(const std::string& folder) const {
  bpf_map* map;
  bpf_object__for_each_map(map, kernel_->skeleton->obj) {
    if (IsProgramsOwn(kernel_->skeleton, map)) continue;
    // A map of the object's own data is named "twinpath.bss"; a dot is not allowed on a bpffs.
    std::string name = bpf_map__name(map);
    std::replace(name.begin(), name.end(), '.', '_');
    const std::string path = absl::StrCat(folder, "/", name);
    const int error = bpf_obj_pin(bpf_map__fd(map), path.c_str());
    if (error) return KernelError(absl::StrCat("bpf_obj_pin(", path, ")"), -error);
  }
  return absl::OkStatus();
}

void XdpTables::SetConstants(size_t port, tp_constants* constants) const {
  constants->port = static_cast<uint32_t>(port);
  constants->first_queue = first_queue_[port];
  constants->n_queues = queues_[port];
  constants->n_slots = slots_;
  constants->regions = flows_.regions;
  constants->region_buckets = flows_.region_buckets;
  constants->clock_given = clock_given_;
  constants->no_xdp_tx = !xdp_tx_[port];
}

void XdpTables::SetLive(const CompiledPolicy& policy, size_t port, uint32_t only_rule,
                        tp_live* live) {
  const tp_plan& plan = policy.plans[port];
  live->n_shapes = plan.n_shapes;
  live->fallback = plan.fallback;
  live->looks = plan.tier != TP_TIER_BLIND;
  live->bucket_mask = Elements(policy.buckets.size()) - 1;
  live->timed = policy.timed;
  live->only_rule = only_rule;
  std::copy_n(policy.shapes.begin() + plan.first_shape, plan.n_shapes, live->shapes);
}

absl::Status XdpTables::EnterOutPorts(const bpf_map* devmap, bool all) const {
  for (uint32_t out = 0; out < out_ports_.size(); out++) {
    if (out_ports_[out] == 0) continue;
    const int failed = bpf_map__update_elem(devmap, &out, sizeof(out), &out_ports_[out],
                                            sizeof(out_ports_[out]), BPF_ANY);
    char name[IF_NAMESIZE];
    const bool gone = if_indextoname(out_ports_[out], name) == nullptr;
    if (failed && (all || !gone))
      return KernelError(absl::StrCat("port ", policy_.ports[out], ": entering it into the devmap"),
                         -failed);
  }
  return absl::OkStatus();
}

absl::Status XdpTables::EnterOutPort(int program, size_t port) const {
  const std::string what =
      absl::StrCat("port ", policy_.ports[port], ": entering it into a devmap");
  const auto key = static_cast<uint32_t>(port);
  std::vector<FileDescriptor> devmaps;
  const int error = DevmapsOf(program, &devmaps);
  if (error != 0) return KernelError(what, error);
  for (const FileDescriptor& devmap : devmaps)
    if (bpf_map_update_elem(devmap.get(), &key, &out_ports_[port], BPF_ANY) != 0)
      return KernelError(what, errno);
  return absl::OkStatus();
}

bool XdpTables::OutPortEntered(int program, size_t port) const {
  const auto key = static_cast<uint32_t>(port);
  std::vector<FileDescriptor> devmaps;
  DevmapsOf(program, &devmaps);
  return std::all_of(devmaps.begin(), devmaps.end(), [&](const FileDescriptor& devmap) {
    uint32_t interface = 0;
    return bpf_map_lookup_elem(devmap.get(), &key, &interface) == 0 || errno != ENOENT;
  });
}

absl::StatusOr<XdpProgram> XdpProgram::Load(const XdpTables& tables, size_t port, Frames frames) {
  const CompiledPolicy& policy = tables.policy_;
  Skeleton skeleton(twinpath_bpf__open());
  if (!skeleton) return KernelError("opening the XDP object", errno);
  const std::string name = absl::StrCat("tp_", WordsNeeded(policy, port), "_", FramesName(frames));
  bpf_program* program = SelectProgram(skeleton, name.c_str());
  if (frames == Frames::kFragments) bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);

  bpf_map* map;
  bpf_object__for_each_map(map, skeleton->obj) {
    if (IsProgramsOwn(skeleton, map)) continue;
    const bpf_map* shared =
        bpf_object__find_map_by_name(tables.kernel_->skeleton->obj, bpf_map__name(map));
    const int error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
    if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
  }

  const tp_plan& plan = policy.plans[port];
  tp_constants& constants = skeleton->rodata->tp_constants;
  tables.SetConstants(port, &constants);
  constants.n_shapes = plan.n_shapes;
  constants.fallback = plan.fallback;
  constants.bucket_mask = Elements(policy.buckets.size()) - 1;
  constants.only = InitialStates(policy, port, 0)[plan.fallback];
  std::copy_n(policy.shapes.begin() + plan.first_shape, plan.n_shapes, constants.shapes);
  XdpTables::SetLive(policy, port, TP_NO_RULE, &skeleton->data_live->tp_live);
  const int error = twinpath_bpf__load(skeleton.get());
  if (error)
    return KernelError(absl::StrCat("port ", policy.ports[port], ": loading ", name), -error);
  absl::Status entered = tables.EnterOutPorts(skeleton->maps.tp_out_ports, true);
  if (!entered.ok()) return entered;
  FileDescriptor fd(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
  if (fd.get() < 0) return KernelError("fcntl(F_DUPFD_CLOEXEC)", errno);
  return XdpProgram(std::move(fd));
}

}  // namespace twinpath
