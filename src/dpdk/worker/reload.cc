// SPDX-License-Identifier: BSD-3-Clause
// Moves streams from one policy to the next. Runs on the worker's lcore.

#include "src/dpdk/worker/reload.h"

#include <utility>

#include "src/policy/count.h"

namespace twinpath {
namespace {

// Prefetch distance, in streams: the copy is bound by cache misses.
constexpr size_t kAhead = 16;

void Add(const tp_count& count, tp_count* sum) { tp_count_add(sum, count.packets, count.bytes); }

void Retire(const tp_state& state, RetiredCounts* retired) {
  tp_count_add(&retired->matched, state.n, state.matched_bytes);
  tp_count_add(&retired->lost, state.lost_packets, state.lost_bytes);
}

// Copies where a stream is, and its counts; not its rule's terms, which may be new.
void KeepStream(const tp_state& from, tp_state* to) {
  to->n = from.n;
  to->fates = from.fates;
  to->markov = from.markov;
  to->lost_packets = from.lost_packets;
  to->matched_bytes = from.matched_bytes;
  to->lost_bytes = from.lost_bytes;
}

}  // namespace

bool PendingPolicy::Apply(Queue* queue) {
  QueuePolicy* next = &queues[applied];
  const tp_count* marked = queue->plan.datapath.marked;
  tp_count* next_marked = next->plan.datapath.marked;
  for (const uint32_t old : removed) {
    Retire(queue->states[old], &queue->retired);
    if (marked != nullptr) Add(marked[old], &queue->retired.marked);
  }
  for (size_t rule = 0; rule < n_rules; rule++) {
    if (rule + kAhead < n_rules && (*kept)[rule + kAhead] != TP_NO_RULE)
      __builtin_prefetch(&queue->states[(*kept)[rule + kAhead]]);
    const uint32_t old = (*kept)[rule];
    if (old == TP_NO_RULE || queue->states[old].n == 0) continue;
    KeepStream(queue->states[old], &next->states[rule]);
    if (marked == nullptr) continue;
    if (next_marked != nullptr)
      next_marked[rule] = marked[old];
    else  // no port can reach a rule that marks any more
      Add(marked[old], &queue->retired.marked);
  }
  std::swap(static_cast<QueuePolicy&>(*queue), *next);
  return ++applied < queues.size();
}

}  // namespace twinpath
