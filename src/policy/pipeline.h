/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A packet's way: frame -> key -> rule -> loss -> forward -> verdict -> counter. The stages are in
 * the headers below, in that order; the DPDK worker runs each over a burst, the XDP program calls
 * tp_decide once a packet.
 *
 * Before including this, a datapath defines `struct tp_datapath`, the hooks that classify.h, lose.h
 * and forward.h name, and
 * - int tp_hook_parse(struct tp_datapath*, const __u8* data, const __u8* end, __u32 frame_len,
 *   __u8 port, struct tp_key*): tp_parse_words with the datapath's words, in place or out of line
 * - __u32 tp_hook_classify(struct tp_datapath*, const struct tp_key*, __u32 n_shapes,
 *   __u32 fallback): tp_classify, likewise
 * - struct tp_state* tp_hook_state(struct tp_datapath*, __u32 rule): the rule's stream on the
 *   packet's queue, where streams lie in the order of rules
 * - struct tp_state* tp_hook_state_of(struct tp_datapath*, const struct tp_rule*, __u32 rule): the
 *   same, wherever it lies
 */
#ifndef TWINPATH_POLICY_PIPELINE_H_
#define TWINPATH_POLICY_PIPELINE_H_

#include "parse.h"
#include "classify.h"
#include "lose.h"
#include "forward.h"
#include "count.h"

struct tp_decision {
  __u32 rule; /* TP_NO_RULE where no rule was asked: malformed */
  enum tp_verdict verdict;
  __u8 out_port; /* TP_TX only */
};

/*
 * The whole decision for the frame in [data, end), of `frame_len` octets, on the datapath's queue
 * of ingress port `port` with plan (n_shapes, fallback). `shared` as in tp_lose_shared, a constant.
 * Counts the rule; the caller counts the verdict, which it alone can know to be TP_TX_FULL or
 * TP_NO_PORT.
 */
TP_INLINE struct tp_decision tp_decide(struct tp_datapath* dp, __u8* data, const __u8* end,
                                       __u32 frame_len, __u8 port, __u32 n_shapes, __u32 fallback,
                                       int shared) {
  struct tp_decision decision = {TP_NO_RULE, TP_MALFORMED, 0};
  __u32 rule = fallback;
  if (n_shapes) {
    struct tp_key key;
    if (tp_hook_parse(dp, data, end, frame_len, port, &key)) return decision;
    rule = tp_hook_classify(dp, &key, n_shapes, fallback);
  }
  struct tp_state* state = tp_hook_state(dp, rule);
  if (!state) return decision;
  decision.rule = rule;
  if (shared ? tp_lose_shared(dp, state, frame_len) : tp_lose(dp, state, frame_len)) {
    decision.verdict = TP_LOST;
    return decision;
  }
  const struct tp_state* fixed = tp_hook_fixed(dp, state);
  decision.verdict =
      tp_forward(dp, fixed->action, fixed->out_port, port, data, end, &decision.out_port);
  return decision;
}

/* The same for a port whose plan looks into frames and whose rules may ask for anything: losses of
 * flows and of packets, marks, conditions. */
TP_INLINE struct tp_decision tp_decide_any(struct tp_datapath* dp, __u8* data, const __u8* end,
                                           __u32 frame_len, __u8 port, __u32 n_shapes,
                                           __u32 fallback, int shared) {
  struct tp_decision decision = {TP_NO_RULE, TP_MALFORMED, 0};
  struct tp_key key;
  if (tp_hook_parse(dp, data, end, frame_len, port, &key)) return decision;
  const __u32 index = tp_hook_classify(dp, &key, n_shapes, fallback);
  const struct tp_rule* rule = tp_hook_rule(dp, index);
  if (!rule) return decision;
  struct tp_state* state = tp_hook_state_of(dp, rule, index);
  if (!state) return decision;
  decision.rule = index;
  struct tp_frame frame = {data, end, frame_len, &key, 0};
  if (rule->loss == TP_LOSS_FLOW) frame.flow_key = tp_flow_key(rule, &key);
  if (tp_lose_any(dp, rule, index, state, &frame, shared))
    decision.verdict = TP_LOST;
  else
    decision.verdict =
        tp_forward(dp, rule->action, rule->out_port, port, data, end, &decision.out_port);
  return decision;
}

#endif /* TWINPATH_POLICY_PIPELINE_H_ */
