/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Decides whether a packet is lost, by its rule. A stream's state belongs to one queue, and to the
 * thread or CPU that serves the queue. The `shared` functions are for a queue that several CPUs
 * serve at once (XDP in generic mode).
 */
#ifndef TWINPATH_POLICY_LOSE_H_
#define TWINPATH_POLICY_LOSE_H_

#include "condition.h"
#include "count.h"
#include "datapath.h"
#include "ecn.h"
#include "flow.h"
#include "model.h"
#include "packet.h"
#include "random.h"
#include "types.h"

TP_INLINE struct tp_terms tp_rule_terms(const struct tp_rule* rule) {
  const struct tp_terms terms = {rule->loss, rule->action, rule->out_port};
  return terms;
}

/* Sets up the stream of `rule` (number `index`) on queue `queue` of the port whose key is
 * `port_key`, at packet 0. */
TP_INLINE void tp_state_init(struct tp_state* state, const struct tp_rule* rule, __u32 index,
                             __u64 port_key, __u32 queue) {
  __builtin_memset(state, 0, sizeof(*state));
  tp_stream_key(rule, port_key, queue, &state->key_a, &state->key_b);
  state->terms = tp_rule_terms(rule);
  state->rule = index;
}

/* Draws the fates of block `number` of a stream of rule number `rule`. Called once per 64 packets.
 */
TP_SUBPROGRAM __u64 tp_stream_fates(tp_env* env, struct tp_state* state, __u32 rule, __u64 number) {
  if (!state) return 0;
  const struct tp_block block = {state->key_a, state->key_b, number};
  __u64 markov = state->markov;
  const __u64 fates = tp_rule_fates(env, rule, &block, &markov);
  state->markov = (__u8)markov;
  return fates;
}

/* Takes the next packet, of `bytes` bytes, of a stream of rule number `rule`. Counts the packet.
 * Returns 1 if it is lost, otherwise 0. For the fast tiers. */
TP_INLINE int tp_lose(struct tp_datapath* dp, struct tp_state* state, __u32 rule, __u32 bytes) {
  __u64 n = state->n;
  const __u8 loss = tp_terms_of(dp, state).loss;
  state->n = n + 1;
  if (!TP_IS_BLIND(dp)) state->matched_bytes += bytes;
  if (loss == TP_LOSS_NONE) return 0;
  if (loss == TP_LOSS_STREAM) {
    if (TP_UNLIKELY((n & 63) == 0) && TP_MAY_DRAW(dp))
      state->fates = tp_stream_fates(TP_ENV(dp), state, rule, n >> 6);
    if (TP_LIKELY(!(state->fates >> (n & 63) & 1))) return 0;
  }
  if (!TP_IS_BLIND(dp)) {
    state->lost_packets++;
    state->lost_bytes += bytes;
  }
  return 1;
}

/* The number of attempts to draw a block. After that the packet is not lost. */
enum { TP_DRAW_TURNS = 4 };

/* Takes the next packet of a stream with several writers. Returns its fate. A model without memory
 * needs no lock. A model with memory decides under the stream's lock. No function may be called
 * under that lock, so the block is drawn without the lock, before the next attempt. Every CPU draws
 * the same block. A draw is useless only if other CPUs took a whole block of this stream meanwhile.
 */
TP_INLINE int tp_take_shared(struct tp_datapath* dp, struct tp_state* state, __u32 index) {
  const struct tp_rule* rule = TP_ROW(dp, rules, index);
  if (!rule) return 0;
  struct tp_block block = {state->key_a, state->key_b, 0};
  __u64 markov = 0, drawn_for = ~0ULL, drawn = 0;
  if (!tp_has_memory(rule->model_kind)) {
    const __u64 n = __sync_fetch_and_add(&state->n, 1);
    block.number = n >> 6;
    drawn = tp_rule_fates(TP_ENV(dp), index, &block, &markov);
    return (int)(drawn >> (n & 63) & 1);
  }
  for (int i = 0; i < TP_DRAW_TURNS; i++) {
    if (!tp_lock_stream(dp, state)) return 0;
    const __u64 n = state->n;
    const int ready = (n & 63) != 0 || drawn_for == n;
    if (drawn_for == n) {
      state->fates = drawn;
      state->markov = (__u8)markov;
    }
    const __u64 fates = state->fates;
    if (ready)
      state->n = n + 1;
    else
      markov = state->markov;
    tp_unlock_stream(dp);
    if (ready) return (int)(fates >> (n & 63) & 1);
    block.number = n >> 6;
    drawn = tp_rule_fates(TP_ENV(dp), index, &block, &markov);
    drawn_for = n;
  }
  return 0;
}

/* tp_lose for a stream with several writers. */
TP_INLINE int tp_lose_shared(struct tp_datapath* dp, struct tp_state* state, __u32 rule,
                             __u32 bytes) {
  const __u8 loss = tp_terms_of(dp, state).loss;
  int lost = loss == TP_LOSS_ALL;
  if (loss == TP_LOSS_STREAM)
    lost = tp_take_shared(dp, state, rule);
  else
    __sync_fetch_and_add(&state->n, 1);
  if (!TP_IS_BLIND(dp)) __sync_fetch_and_add(&state->matched_bytes, bytes);
  if (lost && !TP_IS_BLIND(dp)) {
    __sync_fetch_and_add(&state->lost_packets, 1);
    __sync_fetch_and_add(&state->lost_bytes, bytes);
  }
  return lost;
}

/*
 * Takes the stream's next `count` packets (1 to 64) at once. Bit i of the result is packet i's
 * fate, the same as from `count` calls of tp_lose. The caller adds the bytes and the counts of lost
 * packets.
 */
TP_INLINE __u64 tp_lose_run(struct tp_datapath* dp, struct tp_state* state, __u32 count) {
  __u64 n = state->n;
  __u64 wanted = ~0ULL >> (64 - count);
  state->n = n + count;
  if (state->terms.loss != TP_LOSS_STREAM) return state->terms.loss == TP_LOSS_ALL ? wanted : 0;
  __u32 lane = (__u32)(n & 63);
  __u64 fates = 0;
  if (lane) fates = state->fates >> lane;
  if (lane == 0 || lane + count > 64) { /* a new block begins within the run */
    state->fates = tp_stream_fates(TP_ENV(dp), state, state->rule, (n + 63) >> 6);
    fates |= state->fates << (lane ? 64 - lane : 0);
  }
  return fates & wanted;
}

/* A packet in the general tier. The datapath has its frame. */
struct tp_packet {
  __u32 bytes;
  const struct tp_key* key;
  __u64 flow_key; /* tp_flow_key, if the rule's loss is by flow */
};

/* Takes the next packet of a rule's stream, for any kind of loss. Returns its fate. */
TP_INLINE int tp_take_general(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                              struct tp_state* state, const struct tp_packet* packet, int shared) {
  if (rule->loss == TP_LOSS_STREAM && shared) return tp_take_shared(dp, state, index);
  const __u64 n = shared ? __sync_fetch_and_add(&state->n, 1) : state->n++;
  if (rule->loss == TP_LOSS_STREAM) {
    if ((n & 63) == 0) state->fates = tp_stream_fates(TP_ENV(dp), state, index, n >> 6);
    return (int)(state->fates >> (n & 63) & 1);
  }
  if (rule->loss == TP_LOSS_FLOW) return tp_flow_lose(dp, rule, index, packet->flow_key);
  if (rule->loss == TP_LOSS_PACKET)
    return tp_packet_hash(TP_ENV(dp), packet->key, rule->key_a, rule->key_b) < rule->threshold;
  return rule->loss == TP_LOSS_ALL;
}

TP_INLINE void tp_count_packet(struct tp_count* count, __u64 bytes, int shared) {
  if (shared)
    tp_count_add_shared(count, 1, bytes);
  else
    tp_count_add(count, 1, bytes);
}

/* Takes the rule's next packet, for any rule. Counts the packet. Returns 1 if it is lost, 0 if it
 * is not lost or was marked instead. */
TP_INLINE int tp_lose_general(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                              struct tp_state* state, const struct tp_packet* packet, int shared) {
  int lost = tp_take_general(dp, rule, index, state, packet, shared);
  if (shared)
    __sync_fetch_and_add(&state->matched_bytes, packet->bytes);
  else
    state->matched_bytes += packet->bytes;
  if (!lost) return 0;
  if (rule->flags & TP_RULE_MARKS && tp_mark_ce(TP_ENV(dp), packet->key)) {
    struct tp_queue_extras* extras = tp_extras(dp);
    struct tp_rule_extras* counts = tp_extras_of_rule(dp, index, rule->slot);
    if (extras) tp_count_packet(&extras->marked, packet->bytes, shared);
    if (counts) tp_count_packet(&counts->marked, packet->bytes, shared);
    return 0;
  }
  if (shared) {
    __sync_fetch_and_add(&state->lost_packets, 1);
    __sync_fetch_and_add(&state->lost_bytes, packet->bytes);
  } else {
    state->lost_packets++;
    state->lost_bytes += packet->bytes;
  }
  return 1;
}

#endif /* TWINPATH_POLICY_LOSE_H_ */
