// SPDX-License-Identifier: BSD-3-Clause
// One worker: the run-to-completion loop of one lcore over its queues. A worker's TX queues,
// streams and counters have no other writer; the control thread only reads them.

#ifndef TWINPATH_DPDK_WORKER_WORKER_H_
#define TWINPATH_DPDK_WORKER_WORKER_H_

#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/worker/budget.h"
#include "src/dpdk/worker/egress.h"
#include "src/dpdk/worker/queue.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/dpdk/worker/reload.h"
#include "src/engine/burst.h"
#include "src/kernel/clock.h"

namespace twinpath {

class IdleWait;

// worker: rw, control: ro
struct TurnCounters {
  uint64_t turns = 0;
  uint64_t idle_turns = 0;
  uint64_t packets = 0;
  uint64_t longest_switch = 0;  // TSC cycles to apply a policy to one queue, at most
  uint64_t sleeps = 0;          // of a worker that may sleep
  uint64_t slept = 0;           // TSC cycles
};

class Worker {
 public:
  struct Options {
    uint32_t burst = 32;                   // 1 to kMaxBurst
    int node = 0;                          // NUMA node of the streams
    PacketBudget* budget = nullptr;        // none: no limit
    const tp_flow_table* flows = nullptr;  // null: the policy has no flows
    const uint64_t* clock = nullptr;       // nanoseconds; none: CLOCK_MONOTONIC
    IdleWait* idle = nullptr;              // how Run waits for frames; none: Run polls all the time
  };

  // `policy` and `tables` must outlive the worker's use of them.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(const CompiledPolicy& policy,
                                                        const PolicyTables& tables,
                                                        const std::vector<QueueSpec>& queues,
                                                        const Options& options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves every queue once. The calling thread is the worker's.
  void Turn();

  // Turns until `stop` is set, which it checks every few hundred turns. Sets `stop` itself when the
  // budget is spent. Reports quiescent states to `quiescence` as thread `id`, which must be online
  // already, and goes offline at the end.
  void Run(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id);

  // Prepares this worker's change to `policy`. Rule r of `policy` keeps the state of the current
  // rule kept[r], or of none (TP_NO_RULE). `kept` must exist until the change is applied, `tables`
  // as long as the worker uses them. Control thread.
  absl::StatusOr<PendingPolicy> Prepare(const CompiledPolicy& policy, const PolicyTables& tables,
                                        const tp_flow_table* flows,
                                        const std::vector<uint32_t>& kept) const;
  // Lets the worker apply `pending` between bursts: to one queue before each quiescent state.
  // Control thread.
  void Publish(PendingPolicy* pending) { pending_.store(pending, std::memory_order_release); }
  bool HasPending() const { return pending_.load(std::memory_order_acquire) != nullptr; }
  // Applies the pending policy, if there is one, to one more queue. Called on the worker's thread,
  // or on any thread while the worker is offline.
  void ApplyPending();

  // Lets the worker apply `rewire` between two bursts. Each port and each exception port may have
  // one request at a time. When IsRewiring is false again, the worker does not use the old ends any
  // more. Control thread.
  void RequestRewire(const Rewire* rewire) {
    rewires_[Place(*rewire)] = rewire;
    rewiring_.fetch_or(1u << Place(*rewire), std::memory_order_release);
  }
  bool IsRewiring(const Rewire& rewire) const {
    return (rewiring_.load(std::memory_order_acquire) >> Place(rewire) & 1) != 0;
  }

  const std::vector<std::unique_ptr<Queue>>& queues() const { return queues_; }
  const TurnCounters& turn_counters() const { return turn_counters_; }
  size_t n_rules() const { return n_rules_; }
  // The effects of the last burst's frames, unless its queue has the blind tier. For the worker's
  // thread.
  const tp_effects* effects() const { return burst_.effects; }

 private:
  static constexpr uint64_t kHousekeepingTurns = 256;

  Worker(const Options& options, size_t n_rules);

  void RunAdaptive(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id);
  bool Housekeep(std::atomic<bool>* stop);
  static uint32_t Place(const Rewire& rewire) {
    return rewire.port + (rewire.exception ? TP_MAX_PORTS : 0);
  }
  void ApplyRewires();
  void Apply(const Rewire& rewire);
  void ListenTo(const Rewire& rewire);
  uint32_t Receive(Queue* queue);
  uint32_t ReceiveGranted(Queue* queue);
  void Serve(Queue* queue, uint32_t count);
  void ServeBlind(Queue* queue, uint32_t count);
  void FillBurst(uint32_t count);
  void SetTime(tp_datapath* datapath);
  void FromKernel(Queue* queue);

  const uint16_t burst_size_;
  const int node_;
  PacketBudget* const budget_;
  const uint64_t* const given_clock_;
  IdleWait* const idle_;
  size_t n_rules_;
  uint64_t grant_ = 0;    // of the budget, not yet received
  uint64_t unspent_ = 0;  // received, not yet reported to the budget
  uint64_t packets_at_housekeeping_ = 0;
  TurnCounters turn_counters_;
  NanosecondClock clock_;
  std::atomic<PendingPolicy*> pending_ = nullptr;  // control: sets it, worker: clears it
  // Bit i: the worker owns rewires_[i]. control: sets bits, worker: clears them
  std::atomic<uint32_t> rewiring_ = 0;
  std::vector<std::unique_ptr<Queue>> queues_;

  alignas(64) rte_mbuf* frames_[kMaxBurst];  // of one burst
  Burst burst_;
  Egress egress_;

  const Rewire* rewires_[2 * TP_MAX_PORTS] = {};  // by Place(); control: rw, worker: ro
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_WORKER_H_
