// SPDX-License-Identifier: BSD-3-Clause
// Sums over counters. Each counter of a running datapath has one writer elsewhere; these functions
// only read, on the caller's thread.

#include "src/telemetry/snapshot.h"

#include "src/policy/count.h"

namespace twinpath {

tp_count Transmitted(const tp_queue_counters& counters) {
  tp_count sum = {};
  for (const tp_count& port : counters.tx) tp_count_sum(&sum, &port);
  return sum;
}

int64_t Imbalance(const tp_queue_counters& counters) {
  uint64_t accounted = Transmitted(counters).packets;
  for (int verdict = TP_TX + 1; verdict < TP_VERDICTS; ++verdict)
    accounted += counters.verdict[verdict].packets;
  return static_cast<int64_t>(counters.rx.packets - accounted);
}

void AddStates(const tp_state* states, size_t count, std::vector<RuleSnapshot>* rules) {
  for (const tp_state* state = states; state != states + count; ++state) {
    if (state->rule >= rules->size()) continue;
    RuleSnapshot& rule = (*rules)[state->rule];
    // Reads lost before matched, because the writer counts matched first: so lost never exceeds
    // matched.
    tp_count_add(&rule.lost, tp_count_load(&state->lost_packets),
                 tp_count_load(&state->lost_bytes));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    tp_count_add(&rule.matched, tp_count_load(&state->n), tp_count_load(&state->matched_bytes));
  }
}

void AddRuleExtras(const tp_rule_extras* extras, size_t count, std::vector<RuleSnapshot>* rules) {
  for (size_t i = 0; i < count && i < rules->size(); i++) {
    const tp_count marked = tp_count_read(&extras[i].marked);
    const tp_count unanswered = tp_count_read(&extras[i].unanswered);
    tp_count_sum(&(*rules)[i].marked, &marked);
    tp_count_sum(&(*rules)[i].unanswered, &unanswered);
  }
}

}  // namespace twinpath
