/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Whether a rule holds: at this time, for this packet's number, for this flow. A rule that does not
 * takes nothing, and the next ones are tried.
 *
 * The datapath supplies, before including this:
 * - __u64 tp_hook_now(struct tp_datapath*): nanoseconds of a clock that does not jump, the same for
 *   a whole burst
 * - const struct tp_rule* tp_hook_rule(struct tp_datapath*, __u32 rule), const struct tp_detail*
 *   tp_hook_detail(struct tp_datapath*, __u32 i), const struct tp_link*
 *   tp_hook_link(struct tp_datapath*, __u32 i): NULL beyond the table
 * - __u64 tp_hook_matched(struct tp_datapath*, const struct tp_rule*, __u32 rule): the packets that
 *   the rule took so far, on the packet's queue
 */
#ifndef TWINPATH_POLICY_CONDITION_H_
#define TWINPATH_POLICY_CONDITION_H_

#include "flow.h"
#include "types.h"

TP_INLINE int tp_holds_now(const struct tp_detail* detail, __u64 now) {
  const __u64 start = detail->origin + detail->from;
  if (now < start) return 0;
  if (!detail->length) return 1;
  __u64 since = now - start;
  if (detail->every) since %= detail->every;
  return since < detail->length;
}

/* Keyed by the rule, so that two rules choose different flows. */
TP_INLINE int tp_holds_for_flow(const struct tp_rule* rule, const struct tp_detail* detail,
                                const struct tp_key* key) {
  const __u64 a = tp_mix(rule->key_a ^ 0x5851f42d4c957f2dULL);
  return tp_mix(tp_flow_of(key, 1) + a) < detail->share;
}

TP_INLINE int tp_holds(struct tp_datapath* dp, __u32 index, const struct tp_key* key) {
  const struct tp_rule* rule = tp_hook_rule(dp, index);
  if (!rule) return 0;
  if (!(rule->flags & TP_RULE_CONDITIONS)) return 1;
  const struct tp_detail* detail = tp_hook_detail(dp, rule->detail);
  if (!detail) return 0;
  if (rule->flags & TP_RULE_SHARE && !tp_holds_for_flow(rule, detail, key)) return 0;
  if (rule->flags & TP_RULE_TIMED && !tp_holds_now(detail, tp_hook_now(dp))) return 0;
  return !(rule->flags & TP_RULE_COUNTED) || tp_hook_matched(dp, rule, index) < detail->packets;
}

/* The first rule from this link on that holds, or TP_NO_RULE. */
TP_INLINE __u32 tp_first_holding(struct tp_datapath* dp, const struct tp_key* key, __u32 link) {
  for (int i = 0; i < TP_MAX_CHAIN; i++) {
    const struct tp_link* candidate = tp_hook_link(dp, link);
    if (!candidate) break;
    if (tp_holds(dp, candidate->rule, key)) return candidate->rule;
    link = candidate->next;
    if (link == TP_NO_RULE) break;
  }
  return TP_NO_RULE;
}

#endif /* TWINPATH_POLICY_CONDITION_H_ */
