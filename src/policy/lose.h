/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Rule -> lost or not. A stream's state belongs to one queue, and to the thread or CPU that serves
 * it; what is `shared` is for a queue that several CPUs serve at once (XDP in generic mode).
 *
 * The datapath supplies, before including this, beside what the headers below name:
 * - __u64 tp_hook_fates(struct tp_datapath*, struct tp_state*, __u32 rule, __u64 block): tp_fates,
 *   in place or out of line
 * - const struct tp_state* tp_hook_fixed(struct tp_datapath*, const struct tp_state*): the same
 *   state, or a constant copy of it: where the fields are read that are set once
 * - int tp_hook_sole(struct tp_datapath*): a constant; 1 where every packet of the queue is in this
 *   one stream, so that the queue's own counters of bytes and losses are the stream's, too
 * - int tp_hook_lock_stream(struct tp_datapath*, struct tp_state*), void
 *   tp_hook_unlock_stream(struct tp_datapath*): where streams are shared; 0: not to be had
 * - int tp_hook_lose_flow(struct tp_datapath*, const struct tp_rule*, __u32 rule, __u64 flow_key):
 *   tp_flow_lose, in place or out of line
 * - __u64 tp_hook_packet_hash(struct tp_datapath*, const struct tp_rule*, const struct tp_key*,
 *   const __u8* data, const __u8* end): tp_packet_hash under the rule's key, likewise
 * - int tp_hook_mark_ce(struct tp_datapath*, const struct tp_key*, __u8* data, const __u8* end):
 *   tp_mark_ce, likewise
 * - struct tp_count* tp_hook_marked(struct tp_datapath*, const struct tp_rule*, __u32 rule): the
 *   rule's, on the packet's queue; NULL where no rule marks
 */
#ifndef TWINPATH_POLICY_LOSE_H_
#define TWINPATH_POLICY_LOSE_H_

#include "condition.h"
#include "count.h"
#include "ecn.h"
#include "flow.h"
#include "model.h"
#include "packet.h"
#include "random.h"
#include "types.h"

/* Sets up the stream of `rule` (number `index`) on queue `queue` of the port whose key is
 * `port_key`, at packet 0. */
TP_INLINE void tp_state_init(struct tp_state* state, const struct tp_rule* rule, __u32 index,
                             __u64 port_key, __u32 queue) {
  __builtin_memset(state, 0, sizeof(*state));
  tp_stream_key(rule, port_key, queue, &state->key_a, &state->key_b);
  state->loss = rule->loss;
  state->action = rule->action;
  state->out_port = rule->out_port;
  state->rule = index;
}

/* The fates of a stream's block. */
TP_INLINE __u64 tp_fates(struct tp_datapath* dp, struct tp_state* state, __u32 index, __u64 block) {
  __u64 chain = state->chain;
  const __u64 fates = tp_hook_draw(dp, index, state->key_a, state->key_b, block, &chain);
  state->chain = (__u8)chain;
  return fates;
}

/* Takes the stream's next packet, of `bytes` octets: counts it, and returns 1 where it is lost,
 * else 0. For rules whose loss is of queues, and that do nothing else. */
TP_INLINE int tp_lose(struct tp_datapath* dp, struct tp_state* state, __u32 bytes) {
  __u64 n = state->n;
  const struct tp_state* fixed = tp_hook_fixed(dp, state);
  __u8 loss = fixed->loss;
  state->n = n + 1;
  if (!tp_hook_sole(dp)) state->matched_bytes += bytes;
  if (loss == TP_LOSS_NONE) return 0;
  if (loss == TP_LOSS_STREAM) {
    if (TP_UNLIKELY((n & 63) == 0)) state->mask = tp_hook_fates(dp, state, fixed->rule, n >> 6);
    if (TP_LIKELY(!(state->mask >> (n & 63) & 1))) return 0;
  }
  if (!tp_hook_sole(dp)) {
    state->lost_packets++;
    state->lost_bytes += bytes;
  }
  return 1;
}

/* How often a block is drawn before the packet is let through. */
enum { TP_DRAW_TURNS = 4 };

/* Takes the next packet of a stream with several writers; returns its fate. Without memory, it
 * decides that packet alone. With it, under the stream's lock; because nothing may be called under
 * that, a block is drawn between two turns of it. It is the same whoever draws it; only where
 * others took a whole block of this stream meanwhile was that in vain. */
TP_INLINE int tp_take_shared(struct tp_datapath* dp, struct tp_state* state, __u32 index) {
  const struct tp_rule* rule = tp_hook_rule(dp, index);
  if (!rule) return 0;
  __u64 chain = 0, drawn_for = ~0ULL, drawn = 0;
  if (!tp_has_memory(rule->model)) {
    const __u64 n = __sync_fetch_and_add(&state->n, 1);
    drawn = tp_hook_draw(dp, index, state->key_a, state->key_b, n >> 6, &chain);
    return (int)(drawn >> (n & 63) & 1);
  }
  for (int i = 0; i < TP_DRAW_TURNS; i++) {
    if (!tp_hook_lock_stream(dp, state)) return 0;
    const __u64 n = state->n;
    const int ready = (n & 63) != 0 || drawn_for == n;
    if (drawn_for == n) {
      state->mask = drawn;
      state->chain = (__u8)chain;
    }
    const __u64 mask = state->mask;
    if (ready)
      state->n = n + 1;
    else
      chain = state->chain;
    tp_hook_unlock_stream(dp);
    if (ready) return (int)(mask >> (n & 63) & 1);
    drawn = tp_hook_draw(dp, index, state->key_a, state->key_b, n >> 6, &chain);
    drawn_for = n;
  }
  return 0;
}

/* tp_lose for a stream with several writers. */
TP_INLINE int tp_lose_shared(struct tp_datapath* dp, struct tp_state* state, __u32 bytes) {
  const struct tp_state* fixed = tp_hook_fixed(dp, state);
  const __u8 loss = fixed->loss;
  int lost = loss == TP_LOSS_ALL;
  if (loss == TP_LOSS_STREAM)
    lost = tp_take_shared(dp, state, fixed->rule);
  else
    __sync_fetch_and_add(&state->n, 1);
  if (!tp_hook_sole(dp)) __sync_fetch_and_add(&state->matched_bytes, bytes);
  if (lost && !tp_hook_sole(dp)) {
    __sync_fetch_and_add(&state->lost_packets, 1);
    __sync_fetch_and_add(&state->lost_bytes, bytes);
  }
  return lost;
}

/*
 * Takes the stream's next `count` packets (1 to 64) at once: bit i of the result is packet i's
 * fate. The same fates as `count` calls of tp_lose; the caller adds the bytes and the lost ones'
 * counts.
 */
TP_INLINE __u64 tp_lose_run(struct tp_datapath* dp, struct tp_state* state, __u32 count) {
  __u64 n = state->n;
  __u64 wanted = ~0ULL >> (64 - count);
  state->n = n + count;
  if (state->loss != TP_LOSS_STREAM) return state->loss == TP_LOSS_ALL ? wanted : 0;
  __u32 lane = (__u32)(n & 63);
  __u64 fates = 0;
  if (lane) fates = state->mask >> lane;
  if (lane == 0 || lane + count > 64) { /* a new block begins within the run */
    state->mask = tp_hook_fates(dp, state, state->rule, (n + 63) >> 6);
    fates |= state->mask << (lane ? 64 - lane : 0);
  }
  return fates & wanted;
}

/* A frame on its way through tp_lose_any. */
struct tp_frame {
  __u8* data;
  const __u8* end;
  __u32 bytes;
  const struct tp_key* key;
  __u64 flow_key; /* tp_flow_key, where the rule's loss is of flows */
};

/* Takes the next packet of a rule's stream of any kind; returns its fate. */
TP_INLINE int tp_take_any(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                          struct tp_state* state, const struct tp_frame* frame, int shared) {
  if (rule->loss == TP_LOSS_STREAM && shared) return tp_take_shared(dp, state, index);
  const __u64 n = shared ? __sync_fetch_and_add(&state->n, 1) : state->n++;
  if (rule->loss == TP_LOSS_STREAM) {
    if ((n & 63) == 0) state->mask = tp_hook_fates(dp, state, index, n >> 6);
    return (int)(state->mask >> (n & 63) & 1);
  }
  if (rule->loss == TP_LOSS_FLOW) return tp_hook_lose_flow(dp, rule, index, frame->flow_key);
  if (rule->loss == TP_LOSS_PACKET)
    return tp_hook_packet_hash(dp, rule, frame->key, frame->data, frame->end) < rule->threshold;
  return rule->loss == TP_LOSS_ALL;
}

TP_INLINE void tp_count_any(struct tp_count* count, __u64 bytes, int shared) {
  if (shared)
    tp_count_add_shared(count, 1, bytes);
  else
    tp_count_add(count, 1, bytes);
}

/* Takes the rule's next packet, whatever the rule asks for: counts it; returns 1 where it is lost,
 * 0 where it is not, or was marked instead. */
TP_INLINE int tp_lose_any(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                          struct tp_state* state, const struct tp_frame* frame, int shared) {
  int lost = tp_take_any(dp, rule, index, state, frame, shared);
  if (shared)
    __sync_fetch_and_add(&state->matched_bytes, frame->bytes);
  else
    state->matched_bytes += frame->bytes;
  if (!lost) return 0;
  if (rule->flags & TP_RULE_MARKS && tp_hook_mark_ce(dp, frame->key, frame->data, frame->end)) {
    struct tp_queue_extras* extras = tp_hook_extras(dp);
    struct tp_count* marked = tp_hook_marked(dp, rule, index);
    if (extras) tp_count_any(&extras->marked, frame->bytes, shared);
    if (marked) tp_count_any(marked, frame->bytes, shared);
    return 0;
  }
  if (shared) {
    __sync_fetch_and_add(&state->lost_packets, 1);
    __sync_fetch_and_add(&state->lost_bytes, frame->bytes);
  } else {
    state->lost_packets++;
    state->lost_bytes += frame->bytes;
  }
  return 1;
}

#endif /* TWINPATH_POLICY_LOSE_H_ */
