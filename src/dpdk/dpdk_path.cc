// SPDX-License-Identifier: BSD-3-Clause
// Sets up the DPDK path; dpdk_path_run.cc runs it. Main thread.

#include "src/dpdk/dpdk_path.h"

#include <rte_ethdev.h>
#include <rte_lcore.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/dpdk/telemetry.h"
#include "src/kernel/link/link.h"

namespace twinpath {

DpdkPath::DpdkPath(const Policy& policy, CompiledPolicy compiled, const Profile& profile,
                   const DpdkOptions& options, InterfaceGuard* guard)
    : profile_(profile),
      options_(options),
      guard_(guard),
      in_force_(new Generation{policy, std::move(compiled), std::nullopt}),
      decisions_(in_force_->compiled.rules),
      faults_(options.on_message) {}

absl::StatusOr<std::unique_ptr<DpdkPath>> DpdkPath::Create(
    const Policy& policy, CompiledPolicy compiled, const Profile& profile,
    const std::vector<std::string>& eal_arguments, const DpdkOptions& options,
    InterfaceGuard* guard) {
  auto plan = CheckBeforeEal(profile, compiled, eal_arguments, Machine());
  if (!plan.ok()) return plan.status();
  std::unique_ptr<DpdkPath> datapath(
      new DpdkPath(policy, std::move(compiled), profile, options, guard));
  absl::Status done = datapath->SetUp(*std::move(plan));
  if (!done.ok()) return done;
  if (profile.telemetry) ServeTelemetry(datapath.get());
  return datapath;
}

DpdkPath::~DpdkPath() {
  StopTelemetry(this);
  if (quiet_ && !capture_.has_value()) capture_.emplace();  // until all members are destroyed
  if (eal_ != nullptr && eal_->private_memory())
    for (auto& [node, mempool] : mempools_) mempool.Leave();
}

absl::Status DpdkPath::SetUp(Preflight plan) {
  quiet_ = plan.eal.quiet;
  if (quiet_) capture_.emplace();
  auto instance = FilePrefixLock::Create(plan.eal.file_prefix);
  if (!instance.ok()) return instance.status();
  auto eal = Eal::Create(plan.eal, *std::move(instance));
  if (!eal.ok()) return eal.status();
  eal_ = std::make_unique<Eal>(*std::move(eal));
  lcores_ = plan.lcores;
  file_prefix_ = plan.eal.file_prefix;
  can_pass_ = plan.can_pass;
  for (auto step : {&DpdkPath::OpenPorts, &DpdkPath::OpenExceptionPorts, &DpdkPath::MakeWorkers}) {
    absl::Status done = (this->*step)(plan);
    if (!done.ok()) return done;
  }
  capture_.reset();
  return absl::OkStatus();
}

absl::Status DpdkPath::OpenPorts(const Preflight& plan) {
  for (size_t i = 0; i < plan.devices.size(); i++) {
    auto port = Port::Open(profile_.ports[i].name, plan.devices[i]);
    if (!port.ok()) return port.status();
    ports_.push_back(*std::move(port));
  }
  for (const Port& port : ports_) {
    if (mempools_.count(port.node()) != 0) continue;
    auto mempool =
        Mempool::Create(absl::StrCat("twinpath-", port.node()), plan.mempool, port.node());
    if (!mempool.ok()) return mempool.status();
    mempools_.emplace(port.node(), *std::move(mempool));
  }
  for (Port& port : ports_) {
    absl::Status started =
        port.Start(profile_, mempools_.size() == 1, mempools_.at(port.node()).get(), guard_);
    if (!started.ok()) return started;
    notes_.push_back(port.Summary());
    notes_.insert(notes_.end(), port.device().warnings.begin(), port.device().warnings.end());
    notes_.insert(notes_.end(), port.rss_warnings().begin(), port.rss_warnings().end());
  }
  return absl::OkStatus();
}

absl::Status DpdkPath::OpenExceptionPorts(const Preflight& plan) {
  for (size_t i = 0; i < ports_.size(); i++) {
    const Port& port = ports_[i];
    exceptions_.emplace_back();
    if (plan.kernel[i] == ExceptionPath::kNone) {
      if (plan.passes[i]) {
        notes_.push_back(absl::StrCat(
            "port ", port.name(),
            ": no exception port: packets that the policy passes are counted and freed"));
      }
      continue;
    }
    auto exception =
        ExceptionPort::Create({.port_name = port.name(),
                               .path = plan.kernel[i],
                               .mac = port.mac(),
                               .mtu = port.device().mtu != 0 ? port.device().mtu : profile_.mtu,
                               .queues = profile_.queues,
                               .lcores = static_cast<uint32_t>(lcores_.size()),
                               .interrupts = profile_.idle == Idle::kAdaptive,
                               .receiver = port.TakesFrom(),
                               .mempool = mempools_.at(port.node()).get()});
    if (!exception.ok()) return exception.status();
    const std::string receiver = NameOfLink(port.TakesFrom());
    notes_.push_back(absl::StrCat(
        "port ", port.name(), ": exception port ", exception->interface(), " (",
        exception->driver(), ")",
        exception->hands_over() ? absl::StrCat("; passed packets arrive at ", receiver) : ""));
    if (!exception->handed_over().ok())
      notes_.push_back(
          absl::StrCat("port ", port.name(), ": ", receiver, " does not receive passed packets (",
                       exception->handed_over().message(), "); routes to its peers must lead to ",
                       exception->interface(), ": see twinpath-dpdk(1), WHAT IS PASSED"));
    exceptions_.back().emplace(*std::move(exception));
  }
  return absl::OkStatus();
}

QueueSpec DpdkPath::SpecOf(size_t port, uint32_t queue) const {
  QueueSpec spec;
  spec.port = static_cast<uint32_t>(port);
  spec.queue = queue;
  spec.rx = ports_[port].end(queue);
  for (const Port& out : ports_) spec.tx.push_back(out.end(queue));
  spec.completes = ports_[port].device().completes;
  if (exceptions_[port].has_value()) {
    spec.completes_to_kernel = spec.completes;  // an exception port carries no checksum metadata
    spec.to_kernel = exceptions_[port]->to_kernel(queue);
    if (exceptions_[port]->reads(queue)) spec.from_kernel = spec.to_kernel;
  }
  return spec;
}

// Creates the IdleWait of the worker that serves these queues, if the profile lets it sleep.
absl::Status DpdkPath::MakeIdleWait(uint32_t lcore, const std::vector<QueueSpec>& specs) {
  if (profile_.idle == Idle::kBusy) return absl::OkStatus();
  std::vector<WakeSource> sources;
  for (const QueueSpec& spec : specs) {
    sources.push_back({spec.rx, ports_[spec.port].sockets(spec.queue)});
    if (spec.from_kernel.has_value()) sources.push_back({*spec.from_kernel, {}});
  }
  auto wait = IdleWait::Create(sources);
  if (!wait.ok()) return wait.status();
  idle_.push_back(*std::move(wait));
  std::string no_wakeup;
  for (const QueueEnd& end : idle_.back()->no_wakeup()) {
    char name[RTE_ETH_NAME_MAX_LEN] = "?";
    rte_eth_dev_get_name_by_port(end.ethdev, name);
    absl::StrAppend(&no_wakeup, no_wakeup.empty() ? "" : ", ", name, " queue ", end.queue);
  }
  notes_.push_back(no_wakeup.empty()
                       ? absl::StrCat("idle: lcore ", lcore, " sleeps until a frame arrives")
                       : absl::StrCat("idle: lcore ", lcore, " sleeps at most ",
                                      IdleWait::kLongestNap.count(),
                                      " us at a time: no RX interrupt on ", no_wakeup));
  return absl::OkStatus();
}

absl::Status DpdkPath::MakeWorkers(const Preflight& plan) {
  const int node = static_cast<int>(rte_lcore_to_socket_id(plan.lcores.front()));
  auto tables = PolicyTables::Create(in_force_->compiled, node);
  if (!tables.ok()) return tables.status();
  in_force_->tables = *std::move(tables);
  if (in_force_->compiled.has_flows) {
    if (absl::Status made = MakeFlows(); !made.ok()) return made;
    const FlowTableShape shape = FlowTableWithin(profile_.flow_memory);
    notes_.push_back(absl::StrCat("flows: ", shape.places(), " places, ", shape.bytes(), " bytes"));
  }
  if (absl::Status made = MakeQuiescence(); !made.ok()) return made;
  if (options_.packets.has_value()) budget_.emplace(*options_.packets);
  for (size_t l = 0; l < lcores_.size(); l++) {
    std::vector<QueueSpec> specs;
    for (uint32_t q = static_cast<uint32_t>(l); q < profile_.queues;
         q += static_cast<uint32_t>(lcores_.size()))
      for (size_t p = 0; p < ports_.size(); p++) specs.push_back(SpecOf(p, q));
    if (absl::Status made = MakeIdleWait(lcores_[l], specs); !made.ok()) return made;
    auto worker = Worker::Create(in_force_->compiled, *in_force_->tables, specs,
                                 {.burst = profile_.burst,
                                  .node = static_cast<int>(rte_lcore_to_socket_id(lcores_[l])),
                                  .budget = budget_.has_value() ? &*budget_ : nullptr,
                                  .flows = flows_.has_value() ? flows_->get() : nullptr,
                                  .idle = idle_.empty() ? nullptr : idle_.back().get()});
    if (!worker.ok()) return worker.status();
    workers_.push_back(*std::move(worker));
  }
  notes_.push_back(absl::StrCat(
      "lcores ", absl::StrJoin(lcores_, ","),
      lcores_.size() == 1 ? ": this lcore polls all queues"
                          : absl::StrCat(": queue q of each port belongs to entry q modulo ",
                                         lcores_.size(), " of this list")));
  return absl::OkStatus();
}

}  // namespace twinpath
