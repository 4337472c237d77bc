// SPDX-License-Identifier: BSD-3-Clause
// The skeleton's set-up: sizes, contents, instances.

#include "src/xdp/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/xdp/libbpf_log.h"
#include "twinpath.skel.h"

namespace twinpath {
namespace {

struct SkeletonDeleter {
  void operator()(twinpath_bpf* skeleton) const { twinpath_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<twinpath_bpf, SkeletonDeleter>;

// A whole array map in memory, shared with the kernel.
template <typename Value>
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), bytes_(other.bytes_) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedArray() {
    if (values_) munmap(values_, bytes_);
  }

  absl::Status Map(const bpf_map* map) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = (sizeof(Value) * bpf_map__max_entries(map) + page - 1) / page * page;
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (memory == MAP_FAILED)
      return absl::InternalError(
          absl::StrCat("mmap of ", bpf_map__name(map), ": ", std::strerror(errno)));
    values_ = static_cast<Value*>(memory);
    return absl::OkStatus();
  }

  absl::Status Fill(const bpf_map* map, const std::vector<Value>& values) {
    absl::Status status = Map(map);
    if (status.ok()) std::copy(values.begin(), values.end(), values_);
    return status;
  }

  Value* get() const { return values_; }

 private:
  Value* values_ = nullptr;
  size_t bytes_ = 0;
};

// Arrays have at least one element.
uint32_t Elements(size_t count) { return static_cast<uint32_t>(std::max<size_t>(count, 1)); }

// No program of the object is loaded but `wanted`; null: none.
bpf_program* SelectProgram(const Skeleton& skeleton, const char* wanted) {
  bpf_program* selected = nullptr;
  bpf_program* program;
  bpf_object__for_each_program(program, skeleton->obj) {
    const bool load = wanted && std::string_view(bpf_program__name(program)) == wanted;
    bpf_program__set_autoload(program, load);
    if (load) selected = program;
  }
  return selected;
}

// What a port's shapes look at: nothing, few words of the key, or all; or that its rules may ask
// for anything.
const char* WordsNeeded(const CompiledPolicy& policy, size_t port) {
  const tp_plan& plan = policy.plans[port];
  if (policy.any[port]) return "any";
  if (plan.n_shapes == 0) return "all";
  uint32_t words = 0;
  for (uint32_t i = 0; i < plan.n_shapes; i++) {
    uint64_t mask[TP_KEY_WORDS];
    std::memcpy(mask, &policy.shapes[plan.first_shape + i].mask, sizeof(mask));
    for (int word = 0; word < TP_KEY_WORDS; word++)
      if (mask[word]) words |= TP_WORD(word);
    if (policy.shapes[plan.first_shape + i].mask.length) words |= TP_WORD_LENGTH;
  }
  return (words & ~static_cast<uint32_t>(TP_NARROW_WORDS)) ? "full" : "narrow";
}

const char* FramesName(XdpProgram::Frames frames) {
  switch (frames) {
    case XdpProgram::Frames::kFragments:
      return "frags";
    case XdpProgram::Frames::kShared:
      return "shared";
    case XdpProgram::Frames::kPlain:
      break;
  }
  return "plain";
}

absl::Status KernelError(const std::string& what, int error) {
  std::string log = xdp::TakeLibbpfLog();
  const std::string message = absl::StrCat(what, ": ", std::strerror(error),
                                           log.empty() ? "" : absl::StrCat(" (", log, ")"));
  if (error == ENOMEM || error == E2BIG) return absl::ResourceExhaustedError(message);
  return absl::InternalError(message);
}

}  // namespace

struct XdpTables::Kernel {
  Skeleton skeleton;
  MappedArray<tp_bucket> buckets;
  MappedArray<tp_key> entries;
  MappedArray<tp_rule> rules;
  MappedArray<tp_detail> details;
  MappedArray<tp_link> links;
  MappedArray<tp_run> runs;
  MappedArray<tp_count> marked;
  MappedArray<tp_state> states;
};

XdpTables::XdpTables(CompiledPolicy policy, const std::vector<uint32_t>& queues)
    : policy_(std::move(policy)),
      queues_(queues),
      xdp_tx_(queues.size(), true),
      kernel_(std::make_unique<Kernel>()) {
  for (uint32_t count : queues_) {
    first_queue_.push_back(total_queues_);
    total_queues_ += count;
  }
}

XdpTables::~XdpTables() = default;

absl::StatusOr<std::unique_ptr<XdpTables>> XdpTables::Create(CompiledPolicy policy,
                                                             const std::vector<uint32_t>& queues,
                                                             uint64_t flow_memory) {
  xdp::CaptureLibbpfLog();
  std::unique_ptr<XdpTables> tables(new XdpTables(std::move(policy), queues));
  const CompiledPolicy& compiled = tables->policy_;
  if (tables->total_queues_ > TP_MAX_XDP_QUEUES)
    return absl::ResourceExhaustedError(absl::StrCat("the ports have ", tables->total_queues_,
                                                     " RX queues; at most ",
                                                     static_cast<int>(TP_MAX_XDP_QUEUES)));
  const size_t states = compiled.rules.size() * tables->total_queues_;
  if (states > UINT32_MAX / sizeof(tp_state))
    return absl::ResourceExhaustedError(
        absl::StrCat(compiled.rules.size(), " rules on ", tables->total_queues_,
                     " RX queues are more streams than a map holds"));
  Kernel& kernel = *tables->kernel_;
  kernel.skeleton.reset(twinpath_bpf__open());
  if (!kernel.skeleton) return KernelError("opening the XDP object", errno);
  auto& maps = kernel.skeleton->maps;
  bpf_map__set_max_entries(maps.tp_buckets, Elements(compiled.buckets.size()));
  bpf_map__set_max_entries(maps.tp_entries, Elements(compiled.entries.size()));
  bpf_map__set_max_entries(maps.tp_rules, Elements(compiled.rules.size()));
  bpf_map__set_max_entries(maps.tp_details, Elements(compiled.details.size()));
  bpf_map__set_max_entries(maps.tp_links, Elements(compiled.links.size()));
  bpf_map__set_max_entries(maps.tp_runs, Elements(compiled.runs.size()));
  bpf_map__set_max_entries(maps.tp_states, Elements(states));
  bpf_map__set_max_entries(maps.tp_marked, Elements(compiled.marks ? states : 0));
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

  std::vector<tp_state> initial;
  initial.reserve(states);
  for (size_t port = 0; port < queues.size(); port++) {
    for (uint32_t queue = 0; queue < queues[port]; queue++) {
      const std::vector<tp_state> streams = InitialStates(compiled, port, queue);
      initial.insert(initial.end(), streams.begin(), streams.end());
      kernel.skeleton->bss->tp_queues[tables->first_queue_[port] + queue].only =
          streams[compiled.plans[port].fallback];
    }
  }
  absl::Status status = kernel.buckets.Fill(maps.tp_buckets, compiled.buckets);
  status.Update(kernel.entries.Fill(maps.tp_entries, compiled.entries));
  status.Update(kernel.rules.Fill(maps.tp_rules, compiled.rules));
  status.Update(kernel.details.Fill(maps.tp_details, compiled.details));
  status.Update(kernel.links.Fill(maps.tp_links, compiled.links));
  status.Update(kernel.runs.Fill(maps.tp_runs, compiled.runs));
  status.Update(kernel.states.Fill(maps.tp_states, initial));
  status.Update(kernel.marked.Map(maps.tp_marked));
  if (!status.ok()) return status;
  return tables;
}

const tp_xdp_queue& XdpTables::SharedQueue(size_t port, uint32_t queue) const {
  return kernel_->skeleton->bss->tp_queues[QueueIndex(port, queue)];
}

void XdpTables::SetClock(uint64_t now) {
  clock_given_ = true;
  __atomic_store_n(&kernel_->skeleton->bss->tp_clock, now, __ATOMIC_RELAXED);
}

tp_queue_extras XdpTables::Extras(size_t port, uint32_t queue) const {
  const tp_queue_extras& shared = kernel_->skeleton->bss->tp_extras[QueueIndex(port, queue)];
  const auto read = [](const __u64& counter) {
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
  };
  return {.marked = {.packets = read(shared.marked.packets), .bytes = read(shared.marked.bytes)},
          .flows_added = read(shared.flows_added),
          .flows_evicted = read(shared.flows_evicted)};
}

absl::Span<const tp_count> XdpTables::marked(size_t port, uint32_t queue) const {
  if (!policy_.marks) return {};
  const size_t rules = policy_.rules.size();
  return {kernel_->marked.get() + QueueIndex(port, queue) * rules, rules};
}

tp_queue_counters XdpTables::Counters(size_t port, uint32_t queue) const {
  const tp_xdp_queue& shared = SharedQueue(port, queue);
  const auto read = [](const __u64& counter) {
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
  };
  const auto copy = [&read](const tp_count& from) {
    return tp_count{.packets = read(from.packets), .bytes = read(from.bytes)};
  };
  tp_queue_counters counters = {};
  uint64_t bytes = 0;
  // Verdicts first: the kernel counts a frame as received before it counts its verdict.
  for (size_t i = 0; i < TP_VERDICTS; i++) {
    counters.verdict[i] = copy(shared.counters.verdict[i]);
    bytes += counters.verdict[i].bytes;
  }
  for (size_t i = 0; i < TP_MAX_PORTS; i++) {
    counters.tx[i] = copy(shared.counters.tx[i]);
    bytes += counters.tx[i].bytes;
  }
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  counters.rx = copy(shared.counters.rx);
  if (sole(port)) counters.rx = {.packets = read(shared.only.n), .bytes = bytes};
  return counters;
}

int32_t XdpTables::Cpu(size_t port, uint32_t queue) const {
  return static_cast<int32_t>(__atomic_load_n(&SharedQueue(port, queue).cpu, __ATOMIC_RELAXED)) - 1;
}

absl::Span<const tp_state> XdpTables::states(size_t port, uint32_t queue) const {
  if (sole(port)) return {&SharedQueue(port, queue).only, 1};
  const size_t rules = policy_.rules.size();
  return {kernel_->states.get() + (first_queue_[port] + queue) * rules, rules};
}

const tp_count& XdpTables::strays(size_t port) const {
  return kernel_->skeleton->bss->tp_strays[port];
}

absl::Status XdpTables::Pin(const std::string& folder) const {
  bpf_map* map;
  bpf_object__for_each_map(map, kernel_->skeleton->obj) {
    if (map == kernel_->skeleton->maps.rodata || map == kernel_->skeleton->maps.tp_out_ports)
      continue;  // each program's own
    // A map of the object's own data is named "twinpath.bss"; a dot is not allowed on a bpffs.
    std::string name = bpf_map__name(map);
    std::replace(name.begin(), name.end(), '.', '_');
    const std::string path = absl::StrCat(folder, "/", name);
    const int error = bpf_obj_pin(bpf_map__fd(map), path.c_str());
    if (error) return KernelError(absl::StrCat("bpf_obj_pin(", path, ")"), -error);
  }
  return absl::OkStatus();
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
    // The instance's own: a devmap takes either programs with fragments, or without.
    if (map == skeleton->maps.rodata || map == skeleton->maps.tp_out_ports) continue;
    const bpf_map* shared =
        bpf_object__find_map_by_name(tables.kernel_->skeleton->obj, bpf_map__name(map));
    const int error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
    if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
  }

  const tp_plan& plan = policy.plans[port];
  tp_constants& constants = skeleton->rodata->tp_constants;
  constants.port = static_cast<uint32_t>(port);
  constants.first_queue = tables.first_queue_[port];
  constants.n_queues = tables.queues_[port];
  constants.n_slots = static_cast<uint32_t>(policy.rules.size());
  constants.n_shapes = plan.n_shapes;
  constants.fallback = plan.fallback;
  constants.bucket_mask = Elements(policy.buckets.size()) - 1;
  constants.regions = tables.flows_.regions;
  constants.region_buckets = tables.flows_.region_buckets;
  constants.timed = policy.timed;
  constants.clock_given = tables.clock_given_;
  constants.no_xdp_tx = !tables.xdp_tx_[port];
  constants.only = InitialStates(policy, port, 0)[plan.fallback];
  std::copy_n(policy.shapes.begin() + plan.first_shape, plan.n_shapes, constants.shapes);
  const int error = twinpath_bpf__load(skeleton.get());
  if (error)
    return KernelError(absl::StrCat("port ", policy.ports[port], ": loading ", name), -error);
  for (uint32_t out = 0; out < tables.out_ports_.size(); out++) {
    const int failed =
        bpf_map__update_elem(skeleton->maps.tp_out_ports, &out, sizeof(out),
                             &tables.out_ports_[out], sizeof(tables.out_ports_[out]), BPF_ANY);
    if (failed)
      return KernelError(absl::StrCat("port ", policy.ports[out], ": entering it into the devmap"),
                         -failed);
  }
  FileDescriptor fd(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
  if (fd.get() < 0) return KernelError("fcntl(F_DUPFD_CLOEXEC)", errno);
  return XdpProgram(std::move(fd));
}

}  // namespace twinpath
