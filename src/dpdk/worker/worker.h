// SPDX-License-Identifier: BSD-3-Clause
// One worker: the run-to-completion loop of one lcore over the queues that are its own. It shares
// nothing that it writes: its TX queues, stream states and counters have no other writer, and the
// control thread only reads them.

#ifndef TWINPATH_DPDK_WORKER_WORKER_H_
#define TWINPATH_DPDK_WORKER_WORKER_H_

#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/dpdk/worker/budget.h"
#include "src/dpdk/worker/mbuf.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/policy/pipeline.h"
#include "src/policy/types.h"

namespace twinpath {

class IdleWait;

// What came from the kernel through the exception port. worker: rw, control: ro
struct KernelCounters {
  tp_count rx = {};       // from the kernel
  tp_count tx = {};       // of those, sent
  tp_count tx_full = {};  // of those, not taken by the TX queue
};

// worker: rw, control: ro
struct TurnCounters {
  uint64_t turns = 0;
  uint64_t idle_turns = 0;
  uint64_t packets = 0;
  uint64_t longest_switch = 0;  // TSC cycles that the worker took to go by another policy
  uint64_t sleeps = 0;          // where it may sleep
  uint64_t slept = 0;           // TSC cycles
};

// What the rules counted that a queue no longer has. worker: rw, control: ro
struct RetiredCounts {
  tp_count matched = {}, lost = {}, marked = {};
};

class Worker {
 public:
  struct Options {
    uint32_t burst = 32;                   // 1 to kMaxBurst
    int node = 0;                          // NUMA node of the stream states
    PacketBudget* budget = nullptr;        // none: no limit
    const tp_flow_table* flows = nullptr;  // for a policy that has flows
    const uint64_t* clock = nullptr;       // nanoseconds; none: CLOCK_MONOTONIC_COARSE
    IdleWait* idle = nullptr;              // how Run waits when nothing comes; none: it polls on
  };

  // What one logical queue goes by: its part of a policy. Made by the control thread.
  struct QueuePolicy {
    // worker: ro
    tp_datapath decision = {};
    uint32_t n_shapes = 0;
    uint32_t fallback = 0;
    tp_tier tier = TP_TIER_BLIND;
    EalArray<tp_state> states;  // worker: rw, control: ro
    EalArray<tp_count> marked;  // by rule; worker: rw, control: ro; none where no rule marks
  };

  // One logical queue while it is served. The policy's part is changed by the worker alone.
  struct Queue : QueuePolicy {
    // control: rw before the run; worker: ro
    uint8_t port = 0;
    bool to_kernel_there = false;
    bool from_kernel_there = false;
    uint32_t queue = 0;
    QueueEnd rx, to_kernel, from_kernel;
    QueueEnd tx[TP_MAX_PORTS];
    // worker: rw, control: ro
    alignas(64) tp_queue_counters counters = {};
    KernelCounters kernel;
    tp_queue_extras extras = {};
    RetiredCounts retired;
    uint64_t refused[TP_MAX_PORTS] = {};  // of tx_full, by out port
    // worker: rw; frames received beyond the budget's grant, oldest first from `held_at`
    uint32_t held_at = 0, held = 0;
    rte_mbuf* held_frames[kMaxBurst] = {};
  };

  // The next policy, as one worker sees it. Made and freed by the control thread; from Offer until
  // the worker has no offer any more it is the worker's. Then it holds what the worker went by
  // before.
  struct Change {
    std::vector<QueuePolicy> queues;  // in the order of the worker's
    // For each rule, the number of the worker's present rule that it goes on with, or TP_NO_RULE.
    const std::vector<uint32_t>* continued = nullptr;
    std::vector<uint32_t> gone;  // the present rules with which none goes on
    bool timed = false, counted = false;
    size_t n_rules = 0;
    size_t taken = 0;  // queues that go by it
  };

  // Where the frames of one port come from and go to from now on. Made by the control thread, which
  // keeps it while the worker is diverting.
  struct Detour {
    uint32_t port = 0;
    std::vector<QueueEnd> ends;  // by logical queue
    // For a worker that may sleep: AF_XDP sockets by which they get frames (none: not by such), by
    // logical queue; empty where no frame will come.
    std::vector<std::vector<int>> sockets;
  };

  // `policy` and `tables` must outlive the worker's going by them.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(const CompiledPolicy& policy,
                                                        const PolicyTables& tables,
                                                        const std::vector<QueueSpec>& queues,
                                                        const Options& options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves every queue once. The calling thread is the worker's.
  void Turn();

  // Turns until `stop` (looked at every few hundred turns) or until the budget is spent, which sets
  // `stop`. Reports quiescent states to `quiescence` as thread `id`, which is online already, and
  // goes offline at the end.
  void Run(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id);

  // The change to `policy`; `continued` must outlive it. `tables` must outlive the worker's going
  // by them. Control thread.
  absl::StatusOr<Change> PrepareChange(const CompiledPolicy& policy, const PolicyTables& tables,
                                       const tp_flow_table* flows,
                                       const std::vector<uint32_t>& continued) const;
  // Lets the worker take `change` between bursts, for a queue before each quiescent state. Control
  // thread.
  void Offer(Change* change) { offered_.store(change, std::memory_order_release); }
  bool HasOffer() const { return offered_.load(std::memory_order_acquire) != nullptr; }
  // Takes what was offered, if anything was, for one more queue. The worker's thread, or any when
  // it is offline.
  void TakeOffer();

  // Lets the worker take `detour` between two bursts; one at a time of each port. From when it is
  // no longer diverting from or to that port, it does not use what it was led away from. Control
  // thread.
  void Divert(const Detour* detour) {
    detours_[detour->port] = detour;
    diverting_.fetch_or(1u << detour->port, std::memory_order_release);
  }
  bool Diverting(uint32_t port) const {
    return (diverting_.load(std::memory_order_acquire) >> port & 1) != 0;
  }

  const std::vector<std::unique_ptr<Queue>>& queues() const { return queues_; }
  const TurnCounters& turn_counters() const { return turn_counters_; }
  size_t n_rules() const { return n_rules_; }

 private:
  static constexpr uint64_t kHousekeepingTurns = 256;

  // Frames on their way to one place.
  struct Batch {
    uint32_t count = 0;
    uint64_t bytes = 0;
    rte_mbuf* frames[kMaxBurst];
  };

  Worker(const Options& options, const CompiledPolicy& policy)
      : burst_(static_cast<uint16_t>(options.burst)),
        node_(options.node),
        budget_(options.budget),
        clock_(options.clock),
        idle_(options.idle),
        timed_(policy.timed),
        counted_(policy.counted),
        n_rules_(policy.rules.size()) {}

  void RunAdaptive(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id);
  bool Housekeep(std::atomic<bool>* stop);
  static void TakeFor(Queue& queue, const Change& change, QueuePolicy* next);
  void TakeDetours();
  void ListenTo(const Detour& detour);
  static absl::Status FillPolicy(const CompiledPolicy& policy, const PolicyTables& tables,
                                 const tp_flow_table* flows, int node, Queue* queue,
                                 QueuePolicy* part);
  uint32_t ReceiveGranted(Queue& queue);
  void DecideUnseen(Queue& queue, uint32_t count);
  void DecideByHeaders(Queue& queue, uint32_t count);
  uint32_t Parse(Queue& queue, uint32_t count);
  void Classify(Queue& queue, uint32_t count);
  void LoseAndForward(Queue& queue, uint32_t count);
  void DecideAny(Queue& queue, uint32_t count);
  void FindFlows(Queue& queue, uint32_t count);
  void Put(Queue& queue, rte_mbuf* frame, tp_verdict verdict, uint8_t out_port);
  void SendBatches(Queue& queue);
  uint32_t ReflectAll(Queue& queue, uint32_t count, uint64_t* bytes);
  void Transmit(Queue& queue, uint8_t out_port, rte_mbuf** frames, uint32_t count, uint64_t bytes);
  void Pass(Queue& queue, rte_mbuf** frames, uint32_t count, uint64_t bytes);
  uint64_t Refused(Queue& queue, rte_mbuf** frames, uint32_t count);
  void FromKernel(Queue& queue);
  void Drop(rte_mbuf* frame) { drops_[n_drops_++] = frame; }
  void FreeDrops() { FreeFrames(drops_, std::exchange(n_drops_, 0)); }

  uint16_t burst_;
  int node_;
  PacketBudget* budget_;
  const uint64_t* clock_;
  IdleWait* idle_;
  bool timed_, counted_;
  size_t n_rules_;
  uint64_t grant_ = 0;    // of the budget, not yet received
  uint64_t unspent_ = 0;  // received, not yet told to the budget
  uint64_t packets_at_housekeeping_ = 0;
  TurnCounters turn_counters_;
  std::atomic<Change*> offered_ = nullptr;  // control: rw, worker: rw
  // Bit p: detours_[p] is there, and the worker's. control: sets bits, worker: clears them
  std::atomic<uint32_t> diverting_ = 0;
  std::vector<std::unique_ptr<Queue>> queues_;

  // Dropped and not yet freed: fewer than a burst when a turn begins.
  uint32_t n_drops_ = 0;
  rte_mbuf* drops_[2 * kMaxBurst];

  // Scratch of one burst.
  uint32_t batches_used_ = 0;  // bit p: batches_[p] has frames
  alignas(64) rte_mbuf* frames_[kMaxBurst];
  alignas(64) tp_key keys_[kMaxBurst];
  uint64_t hashes_[kMaxBurst];
  uint32_t rules_[kMaxBurst];
  uint64_t flow_keys_[kMaxBurst];  // of those whose rule loses by flow
  uint8_t pending_[kMaxBurst];
  uint8_t slots_[kMaxBurst];  // of the pending ones' buckets: bit s, where the tag of slot s fits
  Batch batches_[TP_MAX_PORTS + 1];  // by out port; the last: to the kernel

  const Detour* detours_[TP_MAX_PORTS] = {};  // control: rw, worker: ro
};

// Puts a decided frame where its verdict sends it, or counts it and drops it. `out_port` is for
// TP_TX; TP_MAX_PORTS for TP_PASS.
inline void Worker::Put(Queue& queue, rte_mbuf* frame, tp_verdict verdict, uint8_t out_port) {
  if (verdict == TP_TX || verdict == TP_PASS) {
    Batch& batch = batches_[out_port];
    batch.frames[batch.count++] = frame;
    batch.bytes += frame->pkt_len;
    batches_used_ |= 1u << out_port;
  } else {
    tp_count_add(&queue.counters.verdict[verdict], 1, frame->pkt_len);
    Drop(frame);
  }
}

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_WORKER_H_
