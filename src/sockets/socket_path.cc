// SPDX-License-Identifier: BSD-3-Clause
// Creation, snapshots and the end of the socket path.

#include "src/sockets/socket_path.h"

#include <linux/capability.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/kernel/clock.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/link.h"
#include "src/kernel/machine.h"
#include "src/kernel/shell_word.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

absl::Status CheckPrivileges() {
  const Machine machine;
  const bool admin = machine.HasCapability(CAP_SYS_ADMIN);  // includes CAP_BPF
  std::vector<std::string> missing;
  if (!machine.HasCapability(CAP_NET_ADMIN)) missing.emplace_back("CAP_NET_ADMIN");
  if (!machine.HasCapability(CAP_NET_RAW)) missing.emplace_back("CAP_NET_RAW");
  if (!machine.HasCapability(CAP_BPF) && !admin) missing.emplace_back("CAP_BPF");
  if (missing.empty()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("receiving by sockets in place of the kernel's stack needs ",
                   absl::StrJoin(missing, " and "), ": run it as root, with sudo"));
}

// Whether the interface's frames begin with an Ethernet header.
bool IsEthernet(const std::string& name) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (socket.get() < 0 || ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return true;
  const auto type = request.ifr_hwaddr.sa_family;
  return type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK;
}

// What joins frames before the sockets see them; empty: nothing.
std::string Joins(const Interface& interface) {
  const ReceiveOffloads offloads = InterfaceOffloads(interface.name);
  return absl::StrCat(offloads.gro ? " gro off" : "", offloads.lro ? " lro off" : "");
}

}  // namespace

SocketPath::SocketPath(const Policy& policy, CompiledPolicy compiled,
                       std::unique_ptr<Engine> engine, const SocketOptions& options)
    : options_(options),
      engine_(std::move(engine)),
      in_force_(new Generation{policy, std::move(compiled)}),
      decisions_(in_force_->compiled.rules),
      faults_(options.on_message) {}

absl::StatusOr<std::unique_ptr<SocketPath>> SocketPath::Create(const Policy& policy,
                                                               CompiledPolicy compiled,
                                                               std::unique_ptr<Engine> engine,
                                                               const SocketOptions& options) {
  std::unique_ptr<SocketPath> path(
      new SocketPath(policy, std::move(compiled), std::move(engine), options));
  absl::Status done = CheckPrivileges();
  if (done.ok()) done = path->CheckPorts();
  if (done.ok() && path->in_force_->compiled.has_flows) done = path->MakeFlows();
  if (!done.ok()) return done;
  for (const auto& port : path->ports_)
    if (done = path->OpenPort(port.get()); !done.ok()) return done;
  if (done = path->CheckTags(path->in_force_->compiled); !done.ok()) return done;
  if (done = path->MakeWorkers(); !done.ok()) return done;
  path->WriteNotes();
  path->origin_ = CoarseNow();
  SetOrigin(path->origin_, &path->in_force_->compiled);
  path->start_ = Clock::now();
  for (size_t i = 0; i < path->workers_.size(); i++)
    path->workers_[i]->Start(static_cast<uint32_t>(i));
  for (const auto& port : path->ports_)
    if (done = Begin(*port); !done.ok()) return done;
  return path;
}

SocketPath::~SocketPath() { (void)Stop().ok(); }

absl::Status SocketPath::CheckPorts() {
  for (const PortSpec& spec : options_.ports) {
    auto interface = FindInterface(spec.name, spec.device);
    if (!interface.ok()) return interface.status();
    for (const auto& other : ports_)
      if (other->interface.index == interface->index)
        return absl::InvalidArgumentError(absl::StrCat("ports ", other->spec.name, " and ",
                                                       spec.name, " are the same interface, ",
                                                       interface->name));
    if (!IsEthernet(interface->name))
      return absl::FailedPreconditionError(
          absl::StrCat("port ", spec.name, ": frames of ", interface->name,
                       " have no Ethernet header, and a policy asks for one"));
    ports_.push_back(std::make_unique<Port>());
    ports_.back()->spec = spec;
    ports_.back()->interface = *std::move(interface);
  }
  return absl::OkStatus();
}

// The guard comes first: a frame that came between it and the ends would go both ways.
absl::Status SocketPath::OpenPort(Port* port) {
  const Interface& interface = port->interface;
  auto guard = StackGuard::Hold(interface.index, port->spec.name);
  if (!guard.ok()) return guard.status();
  const auto fail = [port](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("port ", port->spec.name, " (",
                                                    port->spec.device, "): ", status.message()));
  };
  auto promiscuous = Promiscuous::Hold(interface.index);
  if (!promiscuous.ok()) return fail(promiscuous.status());
  const LinkSetup setup = ReadSetup(interface.index).value_or(LinkSetup());
  auto ends = engine_->Open({.name = port->spec.name,
                             .index = interface.index,
                             .queues = options_.queues,
                             .mtu = setup.mtu,
                             .mark = guard->mark()});
  if (!ends.ok()) return fail(ends.status());
  for (const auto& tx : (*ends)->tx) tx->SetLink(setup.mtu, true);
  port->opened = setup;
  port->guard = *std::move(guard);
  port->promiscuous = *std::move(promiscuous);
  port->ends = *std::move(ends);
  std::lock_guard<std::mutex> no_reader(snapshot_);
  port->link = LinkState(interface.index);
  port->mode = port->ends->mode;
  port->why = port->ends->why;
  return absl::OkStatus();
}

absl::Status SocketPath::Begin(const Port& port) {
  for (const auto& rx : port.ends->rx)
    if (absl::Status begun = rx->Begin(); !begun.ok()) return begun;
  return absl::OkStatus();
}

absl::Status SocketPath::CheckTags(const CompiledPolicy& policy) const {
  for (const auto& port : ports_)
    if (policy.matches_vlan && port->ends != nullptr && port->ends->loses_tags)
      return absl::FailedPreconditionError(absl::StrCat(
          "port ", port->spec.name, " (", port->spec.device, "): ", port->why,
          "; that sees frames after the kernel removed their VLAN tags, and the policy "
          "matches \"vlan\""));
  return absl::OkStatus();
}

absl::Status SocketPath::MakeFlows() {
  try {
    flows_ = std::make_unique<HostFlows>(options_.flow_memory, options_.queues == 1);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for the table of flows (",
                                                     options_.flow_memory,
                                                     " bytes); give a smaller --flow-memory"));
  }
  return absl::OkStatus();
}

// Gives a queue the ends of all ports.
void SocketPath::Connect(SocketQueue* queue) const {
  for (size_t p = 0; p < ports_.size(); p++)
    queue->tx[p] = ports_[p]->ends != nullptr ? ports_[p]->ends->tx[queue->queue].get() : nullptr;
  const auto& own = ports_[queue->port]->ends;
  queue->rx = own != nullptr ? own->rx[queue->queue].get() : nullptr;
  queue->to_stack = own != nullptr ? own->to_stack[queue->queue].get() : nullptr;
}

absl::Status SocketPath::MakeWorkers() {
  for (uint32_t q = 0; q < options_.queues; q++) {
    std::vector<std::unique_ptr<SocketQueue>> queues;
    for (size_t p = 0; p < ports_.size(); p++) {
      auto queue = std::make_unique<SocketQueue>();
      queue->port = static_cast<uint8_t>(p);
      queue->queue = q;
      queue->completes = Completes(*ports_[p]);
      // With the kernel's note, the stack knows the checksum.
      queue->completes_to_stack = queue->completes && !engine_->keeps_offloads();
      Connect(queue.get());
      static_cast<SocketQueuePolicy&>(*queue) =
          MakeSocketQueuePolicy(in_force_->compiled, flows(), queue.get());
      queues.push_back(std::move(queue));
    }
    auto worker = SocketWorker::Create(std::move(queues));
    if (!worker.ok()) return worker.status();
    workers_.push_back(*std::move(worker));
  }
  return absl::OkStatus();
}

void SocketPath::WriteNotes() {
  for (const auto& port : ports_) {
    notes_.push_back(absl::StrCat(
        "port ", port->spec.name, ": ", port->spec.device, " (",
        port->interface.driver.empty() ? "unknown driver" : port->interface.driver, "), ",
        engine_->name(), port->ends->mode == engine_->name() ? "" : ", " + port->ends->mode, " (",
        port->ends->why, "), ", options_.queues, options_.queues == 1 ? " queue" : " queues",
        Completes(*port) ? ", completes checksums" : ""));
  }
  for (const auto& port : ports_) {
    if (port->guard.by_filters())
      notes_.push_back(absl::StrCat(
          "port ", port->spec.name, ": this kernel is older than 6.6: if the program is killed, ",
          port->spec.device, " receives nothing until it is started again, or: tc qdisc del dev ",
          ShellWord(port->interface.name), " clsact"));
    if (const std::string joins = Joins(port->interface); !joins.empty())
      notes_.push_back(absl::StrCat("port ", port->spec.name, ": ", port->spec.device,
                                    " joins frames before the policy, which sees several as one: "
                                    "ethtool -K ",
                                    ShellWord(port->interface.name), joins));
  }
}

absl::Status SocketPath::Stop() {
  if (ran_ns_.load() >= 0) return absl::OkStatus();
  std::lock_guard<std::mutex> one(reload_);
  for (const auto& worker : workers_) worker->Stop();
  std::lock_guard<std::mutex> no_reader(snapshot_);
  ran_ns_.store((Clock::now() - start_).count());
  for (const auto& port : ports_) {
    ReadLosses(port.get());
    port->ends.reset();
    port->promiscuous = Promiscuous();
    port->guard = StackGuard();
  }
  for (const auto& worker : workers_)
    for (const auto& queue : worker->queues()) Connect(queue.get());
  return absl::OkStatus();
}

std::vector<uint64_t> SocketPath::Progress() {
  std::vector<uint64_t> turns;
  for (const auto& worker : workers_) turns.push_back(worker->turns());
  return turns;
}

Snapshot SocketPath::TakeSnapshot() const {
  std::lock_guard<std::mutex> one(snapshot_);
  Snapshot snapshot;
  snapshot.path = "socket";
  snapshot.engine = engine_->name();
  snapshot.version = TWINPATH_VERSION;
  const Policy& policy = in_force_->policy;
  const CompiledPolicy& compiled = in_force_->compiled;
  snapshot.seed = policy.seed;
  snapshot.policy_file = policy.file;
  snapshot.policy_sha256 = policy.sha256;
  snapshot.reloads.done = reloads_.load();
  snapshot.reloads.rejected = rejected_.load();
  const int64_t ran = ran_ns_.load();
  snapshot.duration_s = std::chrono::duration<double>(ran >= 0 ? std::chrono::nanoseconds(ran)
                                                               : Clock::now() - start_)
                            .count();
  snapshot.faults = faults_.List();
  for (const std::string& name : compiled.rule_names) snapshot.rules.push_back({.name = name});
  if (flows_ != nullptr) {
    snapshot.flow_places = flows_->shape().places();
    snapshot.flow_bytes = flows_->shape().bytes();
  }
  snapshot.queues.resize(ports_.size() * options_.queues);
  std::vector<uint64_t> refused(ports_.size());
  for (const auto& worker : workers_) {
    for (const auto& queue : worker->queues()) {
      snapshot.queues[queue->port * options_.queues + queue->queue] = {
          .port = ports_[queue->port]->spec.name,
          .queue = queue->queue,
          .core = __atomic_load_n(&queue->cpu, __ATOMIC_RELAXED),
          .counters = CopyCounters(queue->counters),
          .extras = CopyCounters(queue->extras)};
      AddStates(queue->states.data(), queue->states.size(), &snapshot.rules);
      if (compiled.rule_extras)
        AddRuleExtras(queue->rule_extras.data(), queue->rule_extras.size(), &snapshot.rules);
      RuleSnapshot& retired = snapshot.reloads.retired;
      const RetiredCounts removed = CopyCounters(queue->retired);
      tp_count_sum(&retired.matched, &removed.matched);
      tp_count_sum(&retired.lost, &removed.lost);
      tp_count_sum(&retired.marked, &removed.marked);
      tp_count_sum(&retired.unanswered, &removed.unanswered);
      for (size_t p = 0; p < ports_.size(); p++) refused[p] += tp_count_load(&queue->refused[p]);
    }
  }
  decisions_.Fill(&snapshot.rules, &snapshot.reloads.retired);
  for (size_t p = 0; p < ports_.size(); p++) {
    const Port& port = *ports_[p];
    snapshot.ports.push_back({.name = port.spec.name,
                              .device = port.spec.device,
                              .driver = port.interface.driver,
                              .mode = port.mode,
                              .why = port.why,
                              .queues = options_.queues,
                              .extra = {{"ring_full_packets", port.lost.load()},
                                        {"tx_full_packets", refused[p]},
                                        {"tx_too_long_packets", port.too_long.load()}},
                              .rss = {},
                              .link = port.link});
  }
  return snapshot;
}

}  // namespace twinpath
