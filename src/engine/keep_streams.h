// SPDX-License-Identifier: BSD-3-Clause
// Moves the streams of one queue from a policy to the next, on a path that keeps them in memory of
// its own. Runs on the thread that serves the queue, so that no packet comes between.

#ifndef TWINPATH_ENGINE_KEEP_STREAMS_H_
#define TWINPATH_ENGINE_KEEP_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/policy/count.h"
#include "src/policy/types.h"

namespace twinpath {

// Counts of rules that a reload removed from a queue. worker: rw, control: ro
struct RetiredCounts {
  tp_count matched = {}, lost = {}, marked = {}, unanswered = {};
};

// A queue's streams and further counters, by rule; `extras` is null where no rule needs them.
struct StreamsOfQueue {
  tp_state* states = nullptr;
  tp_rule_extras* extras = nullptr;
};

// The rules of a policy of `n_rules` rules whose state no rule of the next one keeps. `kept` is,
// for each next rule, the present rule whose state it keeps, or TP_NO_RULE.
inline std::vector<uint32_t> RemovedRules(size_t n_rules, const std::vector<uint32_t>& kept) {
  std::vector<bool> is_kept(n_rules);
  for (const uint32_t old : kept)
    if (old != TP_NO_RULE) is_kept[old] = true;
  std::vector<uint32_t> removed;
  for (uint32_t rule = 0; rule < n_rules; rule++)
    if (!is_kept[rule]) removed.push_back(rule);
  return removed;
}

inline void Retire(const tp_rule_extras& extras, RetiredCounts* retired) {
  tp_count_sum(&retired->marked, &extras.marked);
  tp_count_sum(&retired->unanswered, &extras.unanswered);
}

// Copies where each kept stream is, and its counts, but not its rule's terms, which may be new.
// Adds the counts of `removed` rules to `retired`.
inline void KeepStreams(const StreamsOfQueue& from, const StreamsOfQueue& to,
                        const std::vector<uint32_t>& kept, const std::vector<uint32_t>& removed,
                        RetiredCounts* retired) {
  constexpr size_t kAhead = 16;  // prefetch distance, in streams: cache misses bound the copy
  for (const uint32_t old : removed) {
    const tp_state& state = from.states[old];
    tp_count_add(&retired->matched, state.n, state.matched_bytes);
    tp_count_add(&retired->lost, state.lost_packets, state.lost_bytes);
    if (from.extras != nullptr) Retire(from.extras[old], retired);
  }
  for (size_t rule = 0; rule < kept.size(); rule++) {
    if (rule + kAhead < kept.size() && kept[rule + kAhead] != TP_NO_RULE)
      __builtin_prefetch(&from.states[kept[rule + kAhead]]);
    const uint32_t old = kept[rule];
    if (old == TP_NO_RULE || from.states[old].n == 0) continue;
    const tp_state& state = from.states[old];
    tp_state* next = &to.states[rule];
    next->n = state.n;
    next->fates = state.fates;
    next->markov = state.markov;
    next->lost_packets = state.lost_packets;
    next->matched_bytes = state.matched_bytes;
    next->lost_bytes = state.lost_bytes;
    if (from.extras == nullptr) continue;
    if (to.extras != nullptr)
      to.extras[rule] = from.extras[old];
    else  // no port can reach a rule that needs them any more
      Retire(from.extras[old], retired);
  }
}

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_KEEP_STREAMS_H_
