// SPDX-License-Identifier: BSD-3-Clause
// The whole DPDK path: EAL, mempools, ports, exception ports and workers, set up in that order and
// torn down in the reverse. Create, Run and the destructor belong to the main thread, which becomes
// the main lcore; a control thread, which sleeps, watches signals, time and faults; TakeSnapshot is
// for any thread.

#ifndef TWINPATH_DPDK_DPDK_PATH_H_
#define TWINPATH_DPDK_DPDK_PATH_H_

#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/reload.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/worker/budget.h"
#include "src/dpdk/eal/eal.h"
#include "src/dpdk/port/exception_port.h"
#include "src/dpdk/eal/flow_table.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/dpdk/worker/idle_wait.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/recover/port_recovery.h"
#include "src/dpdk/eal/preflight.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/recover/fault_watcher.h"
#include "src/dpdk/worker/worker.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

struct RunLimits {
  std::optional<double> duration_s;
  std::optional<uint64_t> packets;                     // received, over all queues
  std::optional<double> stats_interval_s;              // how often on_stats is called
  std::function<void()> on_stats;                      // control thread
  std::function<void(const std::string&)> on_message;  // control thread: a fault began or ended
  // Control thread: a SIGHUP came. False, or none: it ends the run.
  std::function<bool(const siginfo_t&)> on_hangup;
};

// Holds SIGINT, SIGTERM and SIGHUP back for Run's control thread. To be called first, in the main
// thread: every later thread inherits it.
void HoldSignals();

class DpdkPath {
 public:
  // `policy` was compiled, for the profile's ports in order, to `compiled`. Errors leave nothing
  // behind. `guard`, where there is one, is told of the kernel interfaces that are used.
  static absl::StatusOr<std::unique_ptr<DpdkPath>> Create(
      const Policy& policy, CompiledPolicy compiled, const Profile& profile,
      const std::vector<std::string>& eal_arguments, const RunLimits& limits,
      InterfaceGuard* guard);
  ~DpdkPath();

  // Forwards until a limit, SIGINT, SIGTERM or a SIGHUP that is not taken.
  absl::Status Run();

  // Lets the workers go by `policy`, compiled for the same ports to `compiled`: each between two of
  // its bursts. Rules that are what they were go on where they are (src/config/compile/reload.h).
  // Any thread that is no lcore, while Run runs or soon will; returns when every worker goes by it.
  // On an error nothing has changed: FailedPrecondition for what this run was not set up for,
  // ResourceExhausted where EAL has no memory left.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled);
  // Counts a policy that did not get as far as Reload.
  void CountRejected() { rejected_.fetch_add(1, std::memory_order_relaxed); }
  // The file of the policy in force; empty: none.
  std::string policy_file() const;

  Snapshot TakeSnapshot() const;
  const std::string& file_prefix() const { return file_prefix_; }

  // What was chosen, and what the user should know: lines for the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  DpdkPath(const Policy& policy, CompiledPolicy compiled, const Profile& profile,
           const RunLimits& limits, InterfaceGuard* guard);
  absl::Status SetUp(Preflight plan);
  absl::Status OpenPorts(const Preflight& plan);
  absl::Status OpenExceptionPorts(const Preflight& plan);
  absl::Status MakeWorkers(const Preflight& plan);
  absl::Status MakeIdleWait(uint32_t lcore, const std::vector<QueueSpec>& specs);
  QueueSpec SpecOf(size_t port, uint32_t queue) const;
  void Control();
  absl::Status CheckReload(const CompiledPolicy& compiled) const;
  absl::Status MakeFlows();
  absl::Status MakeQuiescence();
  void WaitForWorkers();
  bool AnyHasOffer() const;
  void GoOffline();

  // A policy, and what is made of it.
  struct Generation {
    Policy policy;
    CompiledPolicy compiled;
    std::optional<PolicyTables> tables;
  };

  const Profile profile_;
  const RunLimits limits_;
  InterfaceGuard* const guard_;
  std::vector<std::string> notes_;

  // Destroyed from the last to the first.
  bool quiet_ = false;  // the user did not ask for EAL's log
  std::optional<StderrCapture> held_;
  std::unique_ptr<Eal> eal_;
  std::map<int, Mempool> mempools_;  // by NUMA node
  std::vector<Port> ports_;
  std::vector<std::optional<ExceptionPort>> exceptions_;  // one for each port
  std::unique_ptr<Generation> in_force_;
  std::optional<FlowTable> flows_;
  std::optional<PacketBudget> budget_;
  std::vector<uint32_t> lcores_;
  EalArray<uint8_t> quiescence_memory_;
  rte_rcu_qsbr* quiescence_ = nullptr;            // a worker is the thread of its place below
  std::vector<std::unique_ptr<IdleWait>> idle_;   // one for each lcore, or none
  std::unique_ptr<PortRecovery> recovery_;        // what it leads workers by outlives their run
  std::vector<std::unique_ptr<Worker>> workers_;  // one for each lcore

  std::string file_prefix_;
  std::vector<bool> can_pass_;  // by port: see Preflight
  std::mutex reload_;           // one at a time; taken before snapshot_
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  std::atomic<bool> stop_ = false;
  FaultLedger faults_;
  mutable std::mutex snapshot_;  // one reader of the counters at a time, and none in a reload
  std::chrono::steady_clock::time_point started_, ended_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> over_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_DPDK_PATH_H_
