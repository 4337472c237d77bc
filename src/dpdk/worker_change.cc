// SPDX-License-Identifier: BSD-3-Clause
// A worker's part of a policy, and its going by another one, between two bursts: no packet meets
// both. Streams that go on are copied by the worker itself, so that no packet comes between.
// TakeOffer runs on the worker's lcore; the rest on a control thread.

#include <rte_cycles.h>

#include <algorithm>
#include <utility>

#include "src/dpdk/worker.h"

namespace twinpath {
namespace {

// Adds what a rule counted; `sign` is 1 or -1.
void Add(const Worker::QueuePolicy& part, size_t rule, uint64_t sign, RetiredCounts* sum) {
  const auto add = [sign](const tp_count& count, tp_count* to) {
    to->packets += sign * count.packets;
    to->bytes += sign * count.bytes;
  };
  const tp_state& state = part.states[rule];
  add({.packets = state.n, .bytes = state.matched_bytes}, &sum->matched);
  add({.packets = state.lost_packets, .bytes = state.lost_bytes}, &sum->lost);
  if (part.decision.marked != nullptr) add(part.decision.marked[rule], &sum->marked);
}

// Where the stream is, and what it counted; not what its rule asks for.
void ContinueStream(const tp_state& from, tp_state* to) {
  to->n = from.n;
  to->mask = from.mask;
  to->chain = from.chain;
  to->lost_packets = from.lost_packets;
  to->matched_bytes = from.matched_bytes;
  to->lost_bytes = from.lost_bytes;
}

}  // namespace

// The queue's part of `policy`, at packet 0 of every stream. `part` may be in the queue.
absl::Status Worker::FillPolicy(const CompiledPolicy& policy, const PolicyTables& tables,
                                const tp_flow_table* flows, int node, Queue* queue,
                                QueuePolicy* part) {
  auto states = CopyToEal(InitialStates(policy, queue->port, queue->queue), node);
  if (!states.ok()) return states.status();
  auto marked = EmptyInEal<tp_count>(policy.marks ? policy.rules.size() : 0,
                                     "the counts of marked packets", node);
  if (!marked.ok()) return marked.status();
  const tp_plan& plan = policy.plans[queue->port];
  part->states = *std::move(states);
  part->marked = *std::move(marked);
  part->decision = {.shapes = tables.shapes() + plan.first_shape,
                    .buckets = tables.buckets(),
                    .entries = tables.entries(),
                    .rules = tables.rules(),
                    .details = tables.details(),
                    .links = tables.links(),
                    .runs = tables.runs(),
                    .states = part->states.get(),
                    .marked = policy.marks ? part->marked.get() : nullptr,
                    .extras = &queue->extras,
                    .flows = flows,
                    .bucket_mask = tables.bucket_mask()};
  part->n_shapes = plan.n_shapes;
  part->fallback = plan.fallback;
  part->looks = plan.looks != 0;
  part->any = policy.any[queue->port];
  return absl::OkStatus();
}

absl::StatusOr<Worker::Change> Worker::PrepareChange(const CompiledPolicy& policy,
                                                     const PolicyTables& tables,
                                                     const tp_flow_table* flows,
                                                     const std::vector<uint32_t>& continued) const {
  Change change;
  change.continued = &continued;
  change.timed = policy.timed;
  change.counted = policy.counted;
  change.n_rules = policy.rules.size();
  change.queues.resize(queues_.size());
  for (size_t q = 0; q < queues_.size(); q++) {
    absl::Status filled =
        FillPolicy(policy, tables, flows, node_, queues_[q].get(), &change.queues[q]);
    if (!filled.ok()) return filled;
  }
  return change;
}

void Worker::TakeOffer() {
  Change* change = offered_.load(std::memory_order_acquire);
  if (TP_LIKELY(change == nullptr)) return;
  offered_.store(nullptr, std::memory_order_relaxed);
  const uint64_t began = rte_rdtsc();
  for (size_t q = 0; q < queues_.size(); q++) {
    Queue& queue = *queues_[q];
    QueuePolicy& next = change->queues[q];
    // What the present rules counted is retired, but for what the next ones go on with.
    for (size_t r = 0; r < n_rules_; r++) Add(queue, r, 1, &queue.retired);
    for (size_t r = 0; r < change->n_rules; r++) {
      const uint32_t old = (*change->continued)[r];
      if (old == TP_NO_RULE) continue;
      ContinueStream(queue.states[old], &next.states[r]);
      if (next.decision.marked != nullptr && queue.decision.marked != nullptr)
        next.decision.marked[r] = queue.decision.marked[old];
      Add(next, r, ~uint64_t{0}, &queue.retired);
    }
    std::swap(static_cast<QueuePolicy&>(queue), next);
  }
  std::swap(timed_, change->timed);
  std::swap(counted_, change->counted);
  std::swap(n_rules_, change->n_rules);
  turn_counters_.longest_switch =
      std::max<uint64_t>(turn_counters_.longest_switch, rte_rdtsc() - began);
}

}  // namespace twinpath
