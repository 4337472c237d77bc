// SPDX-License-Identifier: BSD-3-Clause
// Runs the workers, and the program's main loop on a control thread that is not an lcore. Takes
// snapshots of the counters.

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/dpdk/dpdk_path.h"
#include "src/dpdk/eal/control_thread.h"
#include "src/kernel/clock.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

// The argument of rte_eal_remote_launch: one worker, and the flag that ends it.
struct Launch {
  Worker* worker;
  std::atomic<bool>* stop;
  rte_rcu_qsbr* quiescence;
  unsigned id;
};

int RunWorker(void* argument) {
  auto* launch = static_cast<Launch*>(argument);
  launch->worker->Run(launch->stop, launch->quiescence, launch->id);
  return 0;
}

}  // namespace

absl::Status DpdkPath::Run(std::function<void()> control) {
  const PortRecovery::Workers datapath = {profile_, ports_,    mempools_, workers_,
                                          guard_,   snapshot_, quiet_};
  recovery_ = std::make_unique<PortRecovery>(datapath, &faults_);
  exception_recovery_ = std::make_unique<ExceptionRecovery>(datapath, &exceptions_, &faults_);
  started_ = Clock::now();
  watcher_ = std::make_unique<FaultWatcher>(
      Watched{ports_, mempools_, workers_, lcores_, profile_.burst}, &faults_, started_);
  if (profile_.end_with_captures) capture_end_.emplace(ports_, workers_);
  origin_ = CoarseNow();
  in_force_->tables->SetOrigin(origin_, &in_force_->compiled);
  ControlThread thread;
  const std::function<void()> until_stopped = [this, &control] {
    control();
    (void)Stop().ok();  // cannot fail
  };
  if (absl::Status s = thread.Start("tp-control", until_stopped); !s.ok()) {
    GoOffline();
    running_.store(true);
    return s;
  }
  running_.store(true);  // policies may be replaced from now on
  std::vector<Launch> launches;
  for (unsigned id = 0; id < workers_.size(); id++)
    launches.push_back({workers_[id].get(), &stop_, quiescence_, id});
  for (size_t l = 1; l < lcores_.size(); l++)
    rte_eal_remote_launch(RunWorker, &launches[l], lcores_[l]);
  RunWorker(&launches[0]);
  rte_eal_mp_wait_lcore();
  ended_ = Clock::now();
  over_.store(true);
  thread.Join();
  return absl::OkStatus();
}

void DpdkPath::Watch(Clock::time_point now) {
  watcher_->Look(now);
  recovery_->Look(now);
  exception_recovery_->Look(now);
  if (capture_end_.has_value() && capture_end_->IsReached()) stop_.store(true);
}

absl::Status DpdkPath::Stop() {
  stop_.store(true);
  return absl::OkStatus();
}

std::vector<uint64_t> DpdkPath::Progress() {
  std::vector<uint64_t> turns;
  for (const LcoreSnapshot& lcore : TakeSnapshot().lcores) turns.push_back(lcore.turns);
  return turns;
}

Snapshot DpdkPath::TakeSnapshot() const {
  std::lock_guard<std::mutex> one(snapshot_);
  Snapshot snapshot;
  snapshot.path = "dpdk";
  snapshot.version = TWINPATH_VERSION;
  const Policy& policy = in_force_->policy;
  const CompiledPolicy& compiled = in_force_->compiled;
  snapshot.seed = policy.seed;
  snapshot.policy_file = policy.file;
  snapshot.policy_sha256 = policy.sha256;
  snapshot.reloads.done = reloads_.load();
  snapshot.reloads.rejected = rejected_.load();
  uint64_t longest_switch = 0;  // in cycles
  if (running_.load()) {
    const Clock::time_point until = over_.load() ? ended_ : Clock::now();
    snapshot.duration_s = std::chrono::duration<double>(until - started_).count();
  }
  snapshot.faults = faults_.List();
  for (const auto& [node, mempool] : mempools_)
    snapshot.mempools.push_back({.node = node,
                                 .mbufs = mempool.get()->size,
                                 .free = rte_mempool_avail_count(mempool.get())});
  for (const std::string& name : compiled.rule_names) snapshot.rules.push_back({.name = name});
  if (flows_.has_value()) {
    const FlowTableShape shape = FlowTableWithin(profile_.flow_memory);
    snapshot.flow_places = shape.places();
    snapshot.flow_bytes = shape.bytes();
  }
  snapshot.queues.resize(ports_.size() * profile_.queues);
  std::vector<KernelCounters> kernel(ports_.size());
  std::vector<uint64_t> refused(ports_.size()), too_long(ports_.size());
  for (size_t l = 0; l < workers_.size(); l++) {
    const Worker& worker = *workers_[l];
    const TurnCounters turns = CopyCounters(worker.turn_counters());
    snapshot.lcores.push_back({.lcore = lcores_[l],
                               .queues = static_cast<uint32_t>(worker.queues().size()),
                               .turns = turns.turns,
                               .idle_turns = turns.idle_turns,
                               .packets = turns.packets,
                               .idle = idle_.empty() ? "busy" : "adaptive",
                               .sleeps = turns.sleeps,
                               .slept_us = turns.slept / (rte_get_tsc_hz() / 1000000)});
    longest_switch = std::max(longest_switch, turns.longest_switch);
    for (const auto& queue : worker.queues()) {
      snapshot.queues[queue->port * profile_.queues + queue->queue] = {
          .port = ports_[queue->port].name(),
          .queue = queue->queue,
          .core = static_cast<int32_t>(lcores_[l]),
          .counters = CopyCounters(queue->counters),
          .extras = CopyCounters(queue->extras)};
      AddStates(queue->states.get(), worker.n_rules(), &snapshot.rules);
      if (compiled.rule_extras)
        AddRuleExtras(queue->rule_extras.get(), worker.n_rules(), &snapshot.rules);
      RuleSnapshot& retired = snapshot.reloads.retired;
      const RetiredCounts removed = CopyCounters(queue->retired);
      tp_count_sum(&retired.matched, &removed.matched);
      tp_count_sum(&retired.lost, &removed.lost);
      tp_count_sum(&retired.marked, &removed.marked);
      tp_count_sum(&retired.unanswered, &removed.unanswered);
      for (size_t p = 0; p < ports_.size(); p++) {
        const uint64_t longer = tp_count_load(&queue->too_long[p]);
        refused[p] += tp_count_load(&queue->refused[p]) + longer;
        too_long[p] += longer;
      }
      const KernelCounters from = CopyCounters(queue->kernel);
      tp_count_sum(&kernel[queue->port].rx, &from.rx);
      tp_count_sum(&kernel[queue->port].tx, &from.tx);
      tp_count_sum(&kernel[queue->port].tx_full, &from.tx_full);
      too_long[queue->port] += from.too_long;
    }
  }
  decisions_.Fill(&snapshot.rules, &snapshot.reloads.retired);
  snapshot.reloads.longest_switch_ns = static_cast<uint64_t>(
      static_cast<double>(longest_switch) * 1e9 / static_cast<double>(rte_get_tsc_hz()));
  for (size_t p = 0; p < ports_.size(); p++) {
    snapshot.ports.push_back(ports_[p].Describe());
    auto& extra = snapshot.ports.back().extra;
    extra.emplace_back("tx_full_packets", refused[p]);
    extra.emplace_back("tx_too_long_packets", too_long[p]);
    if (!exceptions_[p].has_value()) continue;
    extra.insert(extra.end(), {{"exception_rx_packets", kernel[p].rx.packets},
                               {"exception_rx_bytes", kernel[p].rx.bytes},
                               {"exception_tx_packets", kernel[p].tx.packets},
                               {"exception_tx_bytes", kernel[p].tx.bytes},
                               {"exception_tx_full_packets", kernel[p].tx_full.packets}});
  }
  return snapshot;
}

}  // namespace twinpath
