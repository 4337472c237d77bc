/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The stages of a decision: frame -> key (parse.h) -> rule (classify.h) -> loss (lose.h) -> forward
 * (forward.h) -> effects (effects.h). The datapath carries out the effects and counts. The XDP
 * program calls tp_decide or tp_decide_general once per packet; the DPDK worker runs each stage
 * over a burst. A datapath other than the host's defines TP_DATAPATH before it includes this
 * header: see datapath.h.
 */
#ifndef TWINPATH_POLICY_PIPELINE_H_
#define TWINPATH_POLICY_PIPELINE_H_

#include "classify.h"
#include "count.h"
#include "datapath.h"
#include "effects.h"
#include "forward.h"
#include "lose.h"
#include "parse.h"

/*
 * tp_parse_headers as a subprogram, so that the verifier checks it only once. A call costs more
 * than inlined code, so tp_parse_common reads the most common frames first.
 */
TP_SUBPROGRAM int tp_walk_tuple(tp_env* env, struct tp_key* key, __u32 frame_len) {
  struct tp_datapath room;
  if (!key) return TP_PARSE_CUT; /* impossible, but the verifier requires the check */
  const struct tp_datapath* dp = tp_enter(env, &room, TP_TUPLE_WORDS, 0);
  return tp_parse_headers(dp->data, dp->end, frame_len, dp->port, TP_TUPLE_WORDS, key);
}
TP_SUBPROGRAM int tp_walk_headers(tp_env* env, struct tp_key* key, __u32 frame_len) {
  struct tp_datapath room;
  if (!key) return TP_PARSE_CUT; /* impossible, but the verifier requires the check */
  const struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 0);
  return tp_parse_headers(dp->data, dp->end, frame_len, dp->port, TP_ALL_WORDS, key);
}

/* Reads the datapath's frame into *key: tp_parse_words with the datapath's words. */
TP_INLINE int tp_read_key(struct tp_datapath* dp, __u32 frame_len, struct tp_key* key) {
  if (TP_LIKELY(tp_parse_common(dp->data, dp->end, frame_len, dp->port, TP_WORDS(dp), key)))
    return TP_PARSED;
  struct tp_key walked;
  __builtin_memset(&walked, 0, sizeof(walked)); /* kernels before 6.3 require it */
  const int result = TP_WORDS(dp) == TP_TUPLE_WORDS
                         ? tp_walk_tuple(TP_ENV(dp), &walked, frame_len)
                         : tp_walk_headers(TP_ENV(dp), &walked, frame_len);
  *key = walked;
  return result;
}

/* Whether a frame with this result of the parser is dropped before any rule is tried. */
TP_INLINE int tp_drops(const struct tp_datapath* dp, int result) {
  return TP_UNLIKELY(result != TP_PARSED) && tp_is_malformed((__u64)result) &&
         TP_DROPS_MALFORMED(dp);
}

/* The second half of tp_decide, after the stream was found. `state` is the stream of rule number
 * `rule`, and must be the last one that tp_stream returned. */
TP_INLINE struct tp_effects tp_decide_stream(struct tp_datapath* dp, struct tp_state* state,
                                             __u32 rule, __u32 frame_len, int shared) {
  struct tp_effects effects = {rule, TP_FATE_LOST, 0, 0, 0, 0, 0, 0, 0};
  if (shared ? tp_lose_shared(dp, state, rule, frame_len) : tp_lose(dp, state, rule, frame_len))
    return effects;
  const struct tp_terms terms = tp_terms_of(dp, state);
  tp_forward(dp, terms.action, terms.out_port, &effects);
  return effects;
}

/*
 * The whole decision of the fast tiers for the datapath's frame of `frame_len` bytes. `n_shapes`
 * and `fallback` are from the port's plan. `shared` is a constant; 1: several CPUs serve the queue.
 * Counts by rule. The caller counts the packet by verdict, because only the caller knows the result
 * of the delivery.
 */
TP_INLINE struct tp_effects tp_decide(struct tp_datapath* dp, __u32 frame_len, __u32 n_shapes,
                                      __u32 fallback, int shared) {
  const struct tp_effects malformed = {TP_NO_RULE, TP_FATE_MALFORMED, 0, 0, 0, 0, 0, 0, 0};
  __u32 rule = fallback;
  if (n_shapes) {
    struct tp_key key;
    if (tp_drops(dp, tp_read_key(dp, frame_len, &key))) return malformed;
    rule = tp_classify(dp, &key, n_shapes, fallback);
  }
  struct tp_state* state = tp_stream(dp, rule, rule);
  return state ? tp_decide_stream(dp, state, rule, frame_len, shared) : malformed;
}

/* tp_decide for the general tier. */
TP_INLINE struct tp_effects tp_decide_general(struct tp_datapath* dp, __u32 frame_len,
                                              __u32 n_shapes, __u32 fallback, int shared) {
  struct tp_effects effects = {TP_NO_RULE, TP_FATE_MALFORMED, 0, 0, 0, 0, 0, 0, 0};
  struct tp_key key;
  if (tp_drops(dp, tp_read_key(dp, frame_len, &key))) return effects;
  const __u32 index = tp_classify(dp, &key, n_shapes, fallback);
  const struct tp_rule* rule = TP_ROW(dp, rules, index);
  if (!rule) return effects;
  struct tp_state* state = tp_stream(dp, index, rule->slot);
  if (!state) return effects;
  effects.rule = index;
  struct tp_packet packet = {frame_len, &key, 0};
  if (rule->loss == TP_LOSS_FLOW) packet.flow_key = tp_flow_key(rule, &key);
  if (tp_lose_general(dp, rule, index, state, &packet, shared))
    effects.fate = TP_FATE_LOST;
  else
    tp_forward_general(dp, rule, index, &packet, &effects, shared);
  return effects;
}

#endif /* TWINPATH_POLICY_PIPELINE_H_ */
