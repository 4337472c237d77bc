/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Decides whether a rule holds at this time, for this packet's number and for this flow. A rule
 * that does not hold matches nothing, and the next rules are tried. Read-only; any thread.
 */
#ifndef TWINPATH_POLICY_CONDITION_H_
#define TWINPATH_POLICY_CONDITION_H_

#include "datapath.h"
#include "flow.h"
#include "types.h"

TP_INLINE int tp_holds_now(const struct tp_when* when, __u64 now) {
  const __u64 start = when->origin + when->from;
  if (now < start) return 0;
  if (!when->length) return 1;
  __u64 since = now - start;
  if (when->every) since %= when->every;
  return since < when->length;
}

/* The choice is keyed by the rule, so that two rules choose different flows. */
TP_INLINE int tp_holds_for_flow(const struct tp_rule* rule, const struct tp_when* when,
                                const struct tp_key* key) {
  const __u64 a = tp_mix(rule->key_a ^ 0x5851f42d4c957f2dULL);
  return tp_flow_of(key, 1, a, rule->key_b) < when->share;
}

/* Whether rule number `index` holds for the next packet of this queue, received at `now`. */
TP_INLINE int tp_holds(struct tp_datapath* dp, __u32 index, const struct tp_key* key, __u64 now) {
  const struct tp_rule* rule = TP_ROW(dp, rules, index);
  if (!rule) return 0;
  if (!(rule->flags & TP_RULE_CONDITIONS)) return 1;
  const struct tp_when* when = TP_ROW(dp, whens, rule->when);
  if (!when) return 0;
  if (rule->flags & TP_RULE_SHARE && !tp_holds_for_flow(rule, when, key)) return 0;
  if (rule->flags & TP_RULE_TIMED && !tp_holds_now(when, now)) return 0;
  if (!(rule->flags & TP_RULE_COUNTED)) return 1;
  const struct tp_state* state = tp_stream(dp, index, rule->slot);
  return (state ? state->n : 0) < when->packets;
}

/* The rule of the first alternative that holds, starting at number `first`, or TP_NO_RULE. */
TP_SUBPROGRAM __u32 tp_first_holding(tp_env* env, const struct tp_key* key, __u32 first,
                                     __u64 now) {
  struct tp_datapath room;
  if (!key) return TP_NO_RULE;
  struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 1);
  for (int i = 0; i < TP_MAX_ALTERNATIVES; i++) {
    const struct tp_alternative* alternative = TP_ROW(dp, alternatives, first);
    if (!alternative) break;
    if (tp_holds(dp, alternative->rule, key, now)) return alternative->rule;
    first = alternative->next;
    if (first == TP_NO_RULE) break;
  }
  return TP_NO_RULE;
}

#endif /* TWINPATH_POLICY_CONDITION_H_ */
