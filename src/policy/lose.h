/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Rule -> lost or not. A stream's state belongs to one queue, and to the thread or CPU that serves
 * it; tp_lose_shared is for a queue that several CPUs serve at once (XDP in generic mode).
 *
 * The datapath supplies, before including this:
 * - __u64 tp_hook_threshold(struct tp_datapath*, __u32 rule): tp_rule.threshold
 * - __u64 tp_hook_fates(struct tp_datapath*, const struct tp_state*, __u64 block, __u64 lanes):
 *   tp_fates, in place or out of line
 * - const struct tp_state* tp_hook_fixed(struct tp_datapath*, const struct tp_state*): the same
 *   state, or a constant copy of it: where the fields are read that are set once
 * - int tp_hook_sole(struct tp_datapath*): a constant; 1 where every packet of the queue is in this
 *   one stream, so that the queue's own counters of bytes and losses are the stream's, too
 */
#ifndef TWINPATH_POLICY_LOSE_H_
#define TWINPATH_POLICY_LOSE_H_

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

/* Takes the stream's next packet, of `bytes` octets: counts it, and returns 1 where it is lost,
 * else 0. */
TP_INLINE int tp_lose(struct tp_datapath* dp, struct tp_state* state, __u32 bytes) {
  __u64 n = state->n;
  __u8 loss = tp_hook_fixed(dp, state)->loss;
  state->n = n + 1;
  if (!tp_hook_sole(dp)) state->matched_bytes += bytes;
  if (loss == TP_LOSS_NONE) return 0;
  if (loss == TP_LOSS_RANDOM) {
    if (TP_UNLIKELY((n & 63) == 0)) state->mask = tp_hook_fates(dp, state, n >> 6, ~0ULL);
    if (TP_LIKELY(!(state->mask >> (n & 63) & 1))) return 0;
  }
  if (!tp_hook_sole(dp)) {
    state->lost_packets++;
    state->lost_bytes += bytes;
  }
  return 1;
}

/* tp_lose for a stream with several writers: takes a packet number atomically and decides that
 * packet alone. */
TP_INLINE int tp_lose_shared(struct tp_datapath* dp, struct tp_state* state, __u32 bytes) {
  __u64 n = __sync_fetch_and_add(&state->n, 1);
  __u8 loss = tp_hook_fixed(dp, state)->loss;
  if (!tp_hook_sole(dp)) __sync_fetch_and_add(&state->matched_bytes, bytes);
  if (loss == TP_LOSS_NONE) return 0;
  if (loss == TP_LOSS_RANDOM && !tp_hook_fates(dp, state, n >> 6, 1ULL << (n & 63))) return 0;
  if (!tp_hook_sole(dp)) {
    __sync_fetch_and_add(&state->lost_packets, 1);
    __sync_fetch_and_add(&state->lost_bytes, bytes);
  }
  return 1;
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
  if (state->loss != TP_LOSS_RANDOM) return state->loss == TP_LOSS_ALL ? wanted : 0;
  __u32 lane = (__u32)(n & 63);
  __u64 fates = 0;
  if (lane) fates = state->mask >> lane;
  if (lane == 0 || lane + count > 64) { /* a new block begins within the run */
    state->mask = tp_loss_mask(state->key_a, state->key_b, (n + 63) >> 6,
                               tp_hook_threshold(dp, state->rule), ~0ULL);
    fates |= state->mask << (lane ? 64 - lane : 0);
  }
  return fates & wanted;
}

#endif /* TWINPATH_POLICY_LOSE_H_ */
