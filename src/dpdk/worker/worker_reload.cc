// SPDX-License-Identifier: BSD-3-Clause
// A worker's part of a policy, and its going by another one, between two bursts: no packet meets
// both. Streams that go on are copied by the worker itself, so that no packet comes between; those
// of one queue at a time, so that none waits for the others' tens of thousands.
// TakeOffer runs on the worker's lcore; the rest on a control thread.

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <utility>

#include "src/dpdk/worker/worker.h"

namespace twinpath {
namespace {

void Retire(const tp_state& state, RetiredCounts* retired) {
  tp_count_add(&retired->matched, state.n, state.matched_bytes);
  tp_count_add(&retired->lost, state.lost_packets, state.lost_bytes);
}

// Streams that the worker looks at are so far ahead of the one that it copies: most of its time
// goes into waiting for them.
constexpr size_t kAhead = 16;

// Where the stream is, and what it counted; not what its rule asks for.
void ContinueStream(const tp_state& from, tp_state* to) {
  to->n = from.n;
  to->fates = from.fates;
  to->markov = from.markov;
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
  part->decision = {.tables = tables.get(),
                    .states = part->states.get(),
                    .marked = policy.marks ? part->marked.get() : nullptr,
                    .extras = &queue->extras,
                    .flows = flows,
                    .now = 0,
                    .data = nullptr,
                    .end = nullptr,
                    .port = queue->port};
  part->decision.tables.shapes += plan.first_shape;
  part->n_shapes = plan.n_shapes;
  part->fallback = plan.fallback;
  part->tier = static_cast<tp_tier>(plan.tier);
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
  std::vector<bool> goes_on(n_rules_);
  for (const uint32_t old : continued)
    if (old != TP_NO_RULE) goes_on[old] = true;
  for (uint32_t r = 0; r < goes_on.size(); r++)
    if (!goes_on[r]) change.gone.push_back(r);
  change.queues.resize(queues_.size());
  for (size_t q = 0; q < queues_.size(); q++) {
    absl::Status filled =
        FillPolicy(policy, tables, flows, node_, queues_[q].get(), &change.queues[q]);
    if (!filled.ok()) return filled;
  }
  return change;
}

// One queue's part. What the queue went by before is in `next` then.
void Worker::TakeFor(Queue& queue, const Change& change, QueuePolicy* next) {
  for (const uint32_t old : change.gone) {
    Retire(queue.states[old], &queue.retired);
    if (queue.decision.marked != nullptr)
      tp_count_sum(&queue.retired.marked, &queue.decision.marked[old]);
  }
  const std::vector<uint32_t>& continued = *change.continued;
  for (size_t r = 0; r < change.n_rules; r++) {
    if (r + kAhead < change.n_rules && continued[r + kAhead] != TP_NO_RULE)
      rte_prefetch0(&queue.states[continued[r + kAhead]]);
    const uint32_t old = continued[r];
    if (old == TP_NO_RULE || queue.states[old].n == 0) continue;
    ContinueStream(queue.states[old], &next->states[r]);
    if (queue.decision.marked == nullptr) continue;
    if (next->decision.marked != nullptr)
      next->decision.marked[r] = queue.decision.marked[old];
    else  // no port can reach a rule that marks any more
      tp_count_sum(&queue.retired.marked, &queue.decision.marked[old]);
  }
  std::swap(static_cast<QueuePolicy&>(queue), *next);
}

void Worker::TakeOffer() {
  Change* change = offered_.load(std::memory_order_acquire);
  if (TP_LIKELY(change == nullptr)) return;
  const uint64_t began = rte_rdtsc();
  // While some queues go by the one policy and some by the other, either may ask.
  timed_ |= change->timed;
  counted_ |= change->counted;
  TakeFor(*queues_[change->taken], *change, &change->queues[change->taken]);
  if (++change->taken == queues_.size()) {
    timed_ = change->timed;
    counted_ = change->counted;
    n_rules_ = change->n_rules;
    offered_.store(nullptr, std::memory_order_release);
  }
  turn_counters_.longest_switch =
      std::max<uint64_t>(turn_counters_.longest_switch, rte_rdtsc() - began);
}

}  // namespace twinpath
