/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Decides where a packet goes, by its rule's action, and rewrites a frame that goes back: see
 * egress/reflect.h. Pure; any thread. */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "actions.h"
#include "datapath.h"
#include "effects.h"
#include "lose.h"
#include "parse.h"
#include "src/policy/egress/reflect.h"
#include "types.h"

/* Decides where the datapath's frame goes if it is not lost, by the rule's `action` and, for
 * TP_ACTION_PORT, `out_port`. Writes effects->fate and effects->to. A frame too short to reflect is
 * malformed. */
TP_INLINE void tp_forward(struct tp_datapath* dp, __u8 action, __u8 out_port,
                          struct tp_effects* effects) {
  effects->fate = TP_FATE_FORWARD;
  effects->to = TP_TO_KERNEL;
  switch (action) {
    case TP_ACTION_PORT:
      effects->to = out_port;
      break;
    case TP_ACTION_REFLECT:
      effects->to = dp->port;
      TP_FRAME_AGAIN(dp);
      if (tp_reflect(dp->data, dp->end)) {
        effects->fate = TP_FATE_MALFORMED;
        effects->to = 0;
      }
      break;
    case TP_ACTION_DROP:
      effects->fate = TP_FATE_DENIED;
      effects->to = 0;
      break;
    default:
      break;
  }
}

/* Rewrites the env's frame of `bytes` bytes, from which `key` was parsed, by the rule number
 * `index`, whose action only the general tier knows. Counts a frame that the rule does not answer.
 * Returns enum tp_fate. */
TP_SUBPROGRAM int tp_send_back(tp_env* env, const struct tp_key* key, __u32 index, __u32 bytes,
                               int shared) {
  if (!key) return TP_FATE_DENIED;
  struct tp_datapath room;
  struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 1);
  const struct tp_rule* rule = TP_ROW(dp, rules, index);
  if (!rule) return TP_FATE_DENIED; /* impossible, because the caller has it */
  if (rule->action == TP_ACTION_REFLECT_FLOW) return tp_swap_flow(dp->data, dp->end, key);
  const int fate = tp_answer(dp->data, dp->end, key);
  struct tp_rule_extras* counts = tp_extras_of_rule(dp, index, rule->slot);
  if (fate == TP_FATE_DENIED && counts) tp_count_packet(&counts->unanswered, bytes, shared);
  return fate;
}

/* tp_forward for the general tier, which knows all actions. `packet` is the datapath's frame, and
 * `index` the number of `rule`. */
TP_INLINE void tp_forward_general(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                                  const struct tp_packet* packet, struct tp_effects* effects,
                                  int shared) {
  if (TP_LIKELY(rule->action < TP_ACTION_REFLECT_FLOW)) {
    tp_forward(dp, rule->action, rule->out_port, effects);
    return;
  }
  const int fate = tp_send_back(TP_ENV(dp), packet->key, index, packet->bytes, shared);
  effects->fate = (__u8)fate;
  effects->to = fate == TP_FATE_FORWARD ? dp->port : 0;
}

#endif /* TWINPATH_POLICY_FORWARD_H_ */
