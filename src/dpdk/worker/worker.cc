// SPDX-License-Identifier: BSD-3-Clause
// The worker's loop: receive, decide (src/engine), carry out (egress.h). Runs on one lcore; Create,
// Prepare and the destructor on the control thread.

#include "src/dpdk/worker/worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>
#include <utility>

#include "src/dpdk/worker/idle_wait.h"
#include "src/engine/decide_blind.h"

namespace twinpath {
namespace {

constexpr uint64_t kGrant = 1024;  // packets of the budget taken at once

}  // namespace

Worker::Worker(const Options& options, size_t n_rules)
    : burst_size_(static_cast<uint16_t>(options.burst)),
      node_(options.node),
      budget_(options.budget),
      given_clock_(options.clock),
      idle_(options.idle),
      n_rules_(n_rules),
      egress_(options.burst) {}

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(const CompiledPolicy& policy,
                                                       const PolicyTables& tables,
                                                       const std::vector<QueueSpec>& queues,
                                                       const Options& options) {
  std::unique_ptr<Worker> worker(new Worker(options, policy.rules.size()));
  for (const QueueSpec& spec : queues) {
    auto queue = MakeQueue(spec, policy, tables, options.flows, options.node);
    if (!queue.ok()) return queue.status();
    worker->queues_.push_back(*std::move(queue));
  }
  return worker;
}

Worker::~Worker() {
  for (auto& queue : queues_) FreeFrames(queue->held_frames + queue->held_at, queue->held);
}

void Worker::Run(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id) {
  if (idle_ != nullptr) return RunAdaptive(stop, quiescence, id);
  do {
    for (uint64_t turn = 0; turn < kHousekeepingTurns; turn++) Turn();
    ApplyPending();
    ApplyRewires();
    rte_rcu_qsbr_quiescent(quiescence, id);
  } while (Housekeep(stop));
  rte_rcu_qsbr_thread_offline(quiescence, id);
}

void Worker::Turn() {
  uint64_t received = 0;
  for (auto& queue : queues_) {
    const uint32_t count = Receive(queue.get());
    if (count != 0) {
      received += count;
      Serve(queue.get(), count);
      egress_.FreeGathered();
    }
    if (queue->has_from_kernel) FromKernel(queue.get());
  }
  turn_counters_.turns++;
  turn_counters_.packets += received;
  if (received == 0) {
    egress_.FreeDrops();
    turn_counters_.idle_turns++;
    rte_pause();
  }
}

// Receives a burst into frames_.
inline uint32_t Worker::Receive(Queue* queue) {
  if (TP_UNLIKELY(budget_ != nullptr)) return ReceiveGranted(queue);
  return rte_eth_rx_burst(queue->rx.ethdev, queue->rx.queue, frames_, burst_size_);
}

// Receives no more frames than the budget grants. Further frames from the device are held, and
// count as received only when the budget grants them.
uint32_t Worker::ReceiveGranted(Queue* queue) {
  if (queue->held == 0) {
    queue->held =
        rte_eth_rx_burst(queue->rx.ethdev, queue->rx.queue, queue->held_frames, burst_size_);
    queue->held_at = 0;
    if (queue->held == 0) return 0;
  }
  if (grant_ < queue->held) grant_ += budget_->Take(kGrant);
  const auto count = static_cast<uint32_t>(std::min<uint64_t>(grant_, queue->held));
  std::copy_n(queue->held_frames + queue->held_at, count, frames_);
  queue->held_at += count;
  queue->held -= count;
  grant_ -= count;
  unspent_ += count;
  return count;
}

// Decides the burst in frames_ and carries out the effects.
inline void Worker::Serve(Queue* queue, uint32_t count) {
  QueuePlan* plan = &queue->plan;
  if (plan->tier == TP_TIER_BLIND) return ServeBlind(queue, count);
  FillBurst(count);
  uint64_t bytes = 0;
  if (TP_LIKELY(plan->tier == TP_TIER_HEADERS)) {
    bytes = DecideHeaders(plan, count, &burst_);
  } else {
    if (plan->timed) SetTime(&plan->datapath);
    bytes = DecideGeneral(plan, count, &burst_);
  }
  tp_count_add(&queue->counters.rx, count, bytes);
  egress_.CarryOut(queue, frames_, burst_, count);
}

inline void Worker::ServeBlind(Queue* queue, uint32_t count) {
  const BlindOutcome outcome =
      DecideBlind<MbufAccess>(&queue->plan, frames_, count, egress_.room());
  tp_count_add(&queue->counters.rx, count, outcome.bytes);
  egress_.CarryOut(queue, frames_, outcome);
}

inline void Worker::FillBurst(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const rte_mbuf* frame = frames_[i];
    burst_.Set(i, MbufAccess::Data(frame), frame->data_len, frame->pkt_len);
  }
}

// All packets of a burst have the same time.
void Worker::SetTime(tp_datapath* datapath) {
  datapath->now = given_clock_ != nullptr ? *given_clock_ : CoarseNow();
  datapath->now_ns = given_clock_ != nullptr ? *given_clock_ : clock_.Now();
}

// Forwards frames that the kernel sent into the exception port. The policy does not apply to them:
// it applies only to frames that the port receives.
void Worker::FromKernel(Queue* queue) {
  const uint32_t count =
      rte_eth_rx_burst(queue->from_kernel.ethdev, queue->from_kernel.queue, frames_, burst_size_);
  if (count == 0) return;
  uint64_t bytes = FrameBytes<MbufAccess>(frames_, count);
  tp_count_add(&queue->kernel.rx, count, bytes);
  const QueueEnd& to = queue->tx[queue->port];
  const uint32_t sent = Send(to, frames_, count);
  if (sent < count) {
    const uint32_t left = count - sent;
    const uint64_t refused = FrameBytes<MbufAccess>(frames_ + sent, left);
    tp_count_add(&queue->kernel.tx_full, left, refused);
    queue->kernel.too_long += CountTooLong(to, frames_ + sent, left);
    bytes -= refused;
    FreeFrames(frames_ + sent, left);
  }
  tp_count_add(&queue->kernel.tx, sent, bytes);
}

// Work that is not needed for every turn. False: the run is over.
bool Worker::Housekeep(std::atomic<bool>* stop) {
  clock_.Correct();
  if (budget_ != nullptr) {
    if (turn_counters_.packets == packets_at_housekeeping_ && grant_ != 0) {
      budget_->GiveBack(std::exchange(grant_, 0));
    }
    budget_->Spend(std::exchange(unspent_, 0));
    if (budget_->spent()) stop->store(true, std::memory_order_relaxed);
  }
  packets_at_housekeeping_ = turn_counters_.packets;
  return !stop->load(std::memory_order_relaxed);
}

absl::StatusOr<PendingPolicy> Worker::Prepare(const CompiledPolicy& policy,
                                              const PolicyTables& tables,
                                              const tp_flow_table* flows,
                                              const std::vector<uint32_t>& kept) const {
  PendingPolicy pending;
  pending.kept = &kept;
  pending.n_rules = policy.rules.size();
  pending.removed = RemovedRules(n_rules_, kept);
  for (const auto& queue : queues_) {
    auto part = MakeQueuePolicy(policy, tables, flows, node_, queue.get());
    if (!part.ok()) return part.status();
    pending.queues.push_back(*std::move(part));
  }
  return pending;
}

void Worker::ApplyPending() {
  PendingPolicy* pending = pending_.load(std::memory_order_acquire);
  if (TP_LIKELY(pending == nullptr)) return;
  const uint64_t began = rte_rdtsc();
  if (!pending->Apply(queues_[pending->applied].get())) {
    n_rules_ = pending->n_rules;
    pending_.store(nullptr, std::memory_order_release);
  }
  turn_counters_.longest_switch =
      std::max<uint64_t>(turn_counters_.longest_switch, rte_rdtsc() - began);
}

void Worker::ApplyRewires() {
  static_assert(2 * TP_MAX_PORTS <= 32, "a bit of rewiring_ each");
  const uint32_t requested = rewiring_.load(std::memory_order_acquire);
  if (TP_LIKELY(requested == 0)) return;
  for (uint32_t left = requested; left != 0; left &= left - 1)
    Apply(*rewires_[__builtin_ctz(left)]);
  rewiring_.fetch_and(~requested, std::memory_order_release);
}

void Worker::Apply(const Rewire& rewire) {
  for (auto& queue : queues_) {
    const QueueEnd& end = rewire.ends[queue->queue];
    if (!rewire.exception) queue->tx[rewire.port] = end;
    if (queue->port != rewire.port) continue;
    const uint16_t left =
        std::exchange(rewire.exception ? queue->to_kernel : queue->rx, end).ethdev;
    if (rewire.exception) queue->from_kernel = end;
    if (idle_ != nullptr) idle_->Leave(left);
  }
  if (idle_ != nullptr) ListenTo(rewire);
}

// Lets frames on the new ends wake the worker, if the driver supports that.
void Worker::ListenTo(const Rewire& rewire) {
  if (rewire.sockets.empty()) return;
  for (const auto& queue : queues_) {
    if (queue->port != rewire.port || (rewire.exception && !queue->has_from_kernel)) continue;
    idle_->Add({rewire.ends[queue->queue], rewire.sockets[queue->queue]});
  }
}

}  // namespace twinpath
