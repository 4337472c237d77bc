// SPDX-License-Identifier: BSD-3-Clause
// The whole DPDK path: EAL, mempools, ports, exception ports and workers, created in this order and
// destroyed in reverse order. Create, Run and the destructor belong to the main thread, which
// becomes the main lcore. The program's main loop runs on a control thread, which is not an lcore.

#ifndef TWINPATH_DPDK_DPDK_PATH_H_
#define TWINPATH_DPDK_DPDK_PATH_H_

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
#include "src/config/compile/compile.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/capture_end.h"
#include "src/dpdk/eal/eal.h"
#include "src/dpdk/eal/flow_table.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/eal/preflight.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/port/exception_port.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/dpdk/recover/exception_recovery.h"
#include "src/dpdk/recover/fault_watcher.h"
#include "src/dpdk/recover/port_recovery.h"
#include "src/dpdk/worker/budget.h"
#include "src/dpdk/worker/idle_wait.h"
#include "src/dpdk/worker/worker.h"
#include "src/engine/path.h"
#include "src/telemetry/decisions.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

struct DpdkOptions {
  std::optional<uint64_t> packets;  // the run ends after so many received packets, on all queues
  std::function<void(const std::string&)> on_message;  // on Watch's thread: a fault began or ended
};

class DpdkPath : public PolicyPath {
 public:
  // `compiled` is `policy`, compiled for the profile's ports in order. After an error nothing is
  // left open. `guard` restores the kernel interfaces that the path uses; it may be null.
  static absl::StatusOr<std::unique_ptr<DpdkPath>> Create(
      const Policy& policy, CompiledPolicy compiled, const Profile& profile,
      const std::vector<std::string>& eal_arguments, const DpdkOptions& options,
      InterfaceGuard* guard);
  ~DpdkPath() override;

  // Forwards packets on the calling thread and the other lcores. Runs `control`, the main loop, on
  // a control thread, and returns after `control` has returned. `control` should return soon after
  // HasEnded().
  absl::Status Run(std::function<void()> control);

  // Each worker switches between two of its bursts. Waits until Run has started the workers.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) override;
  void CountRejected() override { rejected_.fetch_add(1, std::memory_order_relaxed); }
  std::string policy_file() const override;
  absl::StatusOr<PacketState> StateFor(size_t port, uint32_t queue,
                                       absl::Span<const uint8_t> frame) const override;

  void Watch(Clock::time_point now) override;
  bool HasEnded() const override { return stop_.load(std::memory_order_relaxed); }
  // How often each worker's loop has turned.
  std::vector<uint64_t> Progress() override;
  Snapshot TakeSnapshot() const override;
  // Makes the workers end soon, and then Run.
  absl::Status Stop() override;
  const std::string& file_prefix() const { return file_prefix_; }

  // Lines for the log: what set-up chose, and warnings.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  DpdkPath(const Policy& policy, CompiledPolicy compiled, const Profile& profile,
           const DpdkOptions& options, InterfaceGuard* guard);
  absl::Status SetUp(Preflight plan);
  absl::Status OpenPorts(const Preflight& plan);
  absl::Status OpenExceptionPorts(const Preflight& plan);
  absl::Status MakeWorkers(const Preflight& plan);
  absl::Status MakeIdleWait(uint32_t lcore, const std::vector<QueueSpec>& specs);
  QueueSpec SpecOf(size_t port, uint32_t queue) const;
  absl::Status CheckReload(const CompiledPolicy& compiled) const;
  absl::Status MakeFlows();
  absl::Status MakeQuiescence();
  void WaitForWorkers();
  bool AnyHasPending() const;
  void GoOffline();

  // A policy with its tables.
  struct Generation {
    Policy policy;
    CompiledPolicy compiled;
    std::optional<PolicyTables> tables;
  };

  const Profile profile_;
  const DpdkOptions options_;
  InterfaceGuard* const guard_;
  std::vector<std::string> notes_;

  // Members are destroyed from the last to the first.
  bool quiet_ = false;  // the user did not ask for EAL's log
  std::optional<StderrCapture> capture_;
  std::unique_ptr<Eal> eal_;
  std::map<int, Mempool> mempools_;  // by NUMA node
  std::vector<Port> ports_;
  std::vector<std::optional<ExceptionPort>> exceptions_;  // one for each port
  std::unique_ptr<Generation> in_force_;
  std::optional<FlowTable> flows_;
  std::optional<PacketBudget> budget_;
  std::vector<uint32_t> lcores_;
  EalArray<uint8_t> quiescence_memory_;
  rte_rcu_qsbr* quiescence_ = nullptr;           // worker i of workers_ is thread i
  std::vector<std::unique_ptr<IdleWait>> idle_;  // one for each lcore, or none
  // Before workers_: a worker may use the Rewire of a recovery until it ends.
  std::unique_ptr<PortRecovery> recovery_;
  std::unique_ptr<ExceptionRecovery> exception_recovery_;
  std::vector<std::unique_ptr<Worker>> workers_;  // one for each lcore

  std::string file_prefix_;
  std::vector<bool> can_pass_;  // by port: see Preflight
  std::mutex reload_;           // held during a reload; taken before snapshot_
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  std::atomic<bool> stop_ = false;
  RuleDecisions decisions_;  // of the current policy; guarded by snapshot_
  FaultLedger faults_;
  std::unique_ptr<FaultWatcher> watcher_;  // made by Run, before Watch
  std::optional<CaptureEnd> capture_end_;  // made by Run if the profile has end_with_captures
  mutable std::mutex snapshot_;            // guards the counters against a reload
  std::chrono::steady_clock::time_point started_, ended_;
  uint64_t origin_ = 0;  // when Run began, by the workers' clock, in ns
  std::atomic<bool> running_ = false;
  std::atomic<bool> over_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_DPDK_PATH_H_
