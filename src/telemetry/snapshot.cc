// SPDX-License-Identifier: BSD-3-Clause
// Sums over counters. The counters of a live datapath have one writer each, elsewhere; everything
// here only reads, on the caller's thread.

#include "src/telemetry/snapshot.h"

namespace twinpath {

tp_count Transmitted(const tp_queue_counters& counters) {
  tp_count sum = {};
  for (const tp_count& port : counters.tx) {
    sum.packets += port.packets;
    sum.bytes += port.bytes;
  }
  return sum;
}

int64_t Imbalance(const tp_queue_counters& counters) {
  uint64_t accounted = Transmitted(counters).packets;
  for (int verdict = TP_TX + 1; verdict < TP_VERDICTS; ++verdict)
    accounted += counters.verdict[verdict].packets;
  return static_cast<int64_t>(counters.rx.packets - accounted);
}

void AddStates(const tp_state* states, size_t count, std::vector<RuleSnapshot>* rules) {
  // The writer may be at work: each field is read once, whole.
  const auto read = [](const __u64& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); };
  for (const tp_state* state = states; state != states + count; ++state) {
    if (state->rule >= rules->size()) continue;
    RuleSnapshot& rule = (*rules)[state->rule];
    // Lost before matched: the writer counts in the other order, and lost may not exceed matched.
    rule.lost.packets += read(state->lost_packets);
    rule.lost.bytes += read(state->lost_bytes);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    rule.matched.packets += read(state->n);
    rule.matched.bytes += read(state->matched_bytes);
  }
}

void AddMarked(const tp_count* marked, size_t count, std::vector<RuleSnapshot>* rules) {
  for (size_t i = 0; i < count && i < rules->size(); i++) {
    (*rules)[i].marked.packets += __atomic_load_n(&marked[i].packets, __ATOMIC_RELAXED);
    (*rules)[i].marked.bytes += __atomic_load_n(&marked[i].bytes, __ATOMIC_RELAXED);
  }
}

}  // namespace twinpath
