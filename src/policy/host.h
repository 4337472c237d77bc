/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The datapath hooks over tables in ordinary memory: what the DPDK worker and the host's own tools
 * decide by. One tp_datapath is one queue of one port; it borrows the tables (read-only, shared by
 * all queues) and owns nothing. One thread at a time.
 */
#ifndef TWINPATH_POLICY_HOST_H_
#define TWINPATH_POLICY_HOST_H_

#include "parse.h"
#include "random.h"
#include "reflect.h"
#include "types.h"

struct tp_datapath {
  const struct tp_shape* shapes; /* the ingress port's: plan.first_shape applied */
  const struct tp_bucket* buckets;
  const struct tp_key* entries;
  const struct tp_rule* rules;
  const struct tp_detail* details;
  const struct tp_link* links;
  const struct tp_run* runs;
  struct tp_state* states;           /* this queue's, one for each rule */
  struct tp_count* marked;           /* likewise; NULL where no rule marks */
  struct tp_queue_extras* extras;    /* this queue's; NULL only without flows and marks */
  const struct tp_flow_table* flows; /* of all queues; NULL only without flows */
  __u64 now;         /* nanoseconds of CLOCK_MONOTONIC_COARSE; the owner sets it for each burst */
  __u32 bucket_mask; /* number of buckets - 1; a power of two */
};

/* A region's lock and its count of packets, on a cache line of its own. */
struct tp_flow_region {
  __u32 locked;
  __u32 packets;
} __attribute__((aligned(64)));

/* Borrowed by every queue. */
struct tp_flow_table {
  struct tp_flow_bucket* buckets; /* regions * region_buckets of them */
  struct tp_flow_region* region;
  __u32 regions, region_buckets;
  int alone; /* one thread serves all queues, and locks nothing */
};

TP_INLINE const struct tp_shape* tp_hook_shape(struct tp_datapath* dp, __u32 i) {
  return &dp->shapes[i];
}
TP_INLINE const struct tp_bucket* tp_hook_bucket(struct tp_datapath* dp, __u32 i) {
  return &dp->buckets[i & dp->bucket_mask];
}
TP_INLINE const struct tp_key* tp_hook_entry(struct tp_datapath* dp, __u32 i) {
  return &dp->entries[i];
}
TP_INLINE __u32 tp_hook_words(struct tp_datapath* dp) {
  (void)dp;
  return TP_ALL_WORDS;
}
TP_INLINE int tp_hook_parse(struct tp_datapath* dp, const __u8* data, const __u8* end,
                            __u32 frame_len, __u8 port, struct tp_key* key) {
  (void)dp;
  return tp_parse(data, end, frame_len, port, key);
}
TP_INLINE const struct tp_rule* tp_hook_rule(struct tp_datapath* dp, __u32 rule) {
  return &dp->rules[rule];
}
TP_INLINE const struct tp_detail* tp_hook_detail(struct tp_datapath* dp, __u32 i) {
  return &dp->details[i];
}
TP_INLINE const struct tp_link* tp_hook_link(struct tp_datapath* dp, __u32 i) {
  return &dp->links[i];
}
TP_INLINE const struct tp_run* tp_hook_run(struct tp_datapath* dp, __u32 i) { return &dp->runs[i]; }
TP_INLINE __u64 tp_hook_now(struct tp_datapath* dp) { return dp->now; }
TP_INLINE struct tp_queue_extras* tp_hook_extras(struct tp_datapath* dp) { return dp->extras; }
TP_INLINE struct tp_flow_bucket* tp_hook_flows(struct tp_datapath* dp, __u32 i) {
  return &dp->flows->buckets[i];
}
TP_INLINE __u32 tp_hook_regions(struct tp_datapath* dp) { return dp->flows->regions; }
TP_INLINE __u32 tp_hook_region_buckets(struct tp_datapath* dp) { return dp->flows->region_buckets; }
TP_INLINE __u32* tp_hook_lock(struct tp_datapath* dp, __u32 region) {
  struct tp_flow_region* r = &dp->flows->region[region];
  if (!dp->flows->alone)
    while (__atomic_exchange_n(&r->locked, 1, __ATOMIC_ACQUIRE)) __builtin_ia32_pause();
  return &r->packets;
}
TP_INLINE void tp_hook_unlock(struct tp_datapath* dp, __u32 region) {
  if (!dp->flows->alone) __atomic_store_n(&dp->flows->region[region].locked, 0, __ATOMIC_RELEASE);
}
TP_INLINE __u64 tp_hook_matched(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index) {
  (void)rule;
  return dp->states[index].n;
}
TP_INLINE __u64 tp_hook_mask(__u64 a, __u64 b, __u64 block, __u64 threshold, __u64 lanes) {
  return tp_loss_mask(a, b, block, threshold, lanes);
}
TP_INLINE int tp_hook_lock_stream(struct tp_datapath* dp, struct tp_state* state) {
  (void)dp;
  (void)state;
  return 1; /* streams are not shared here */
}
TP_INLINE void tp_hook_unlock_stream(struct tp_datapath* dp) { (void)dp; }

TP_INLINE const struct tp_state* tp_hook_fixed(struct tp_datapath* dp,
                                               const struct tp_state* state) {
  (void)dp;
  return state;
}
TP_INLINE int tp_hook_reflect(struct tp_datapath* dp, __u8* data, const __u8* end) {
  (void)dp;
  return tp_reflect(data, end);
}
TP_INLINE int tp_hook_sole(struct tp_datapath* dp) {
  (void)dp;
  return 0;
}
TP_INLINE struct tp_state* tp_hook_state(struct tp_datapath* dp, __u32 rule) {
  return &dp->states[rule];
}
TP_INLINE struct tp_state* tp_hook_state_of(struct tp_datapath* dp, const struct tp_rule* rule,
                                            __u32 index) {
  (void)rule;
  return &dp->states[index];
}
TP_INLINE struct tp_count* tp_hook_marked(struct tp_datapath* dp, const struct tp_rule* rule,
                                          __u32 index) {
  (void)rule;
  return dp->marked ? &dp->marked[index] : 0;
}

#include "model.h"

/* The models that few policies have, out of the way of what every worker does. */
static __attribute__((noinline, unused)) __u64 tp_rare_fates(struct tp_datapath* dp,
                                                             const struct tp_rule* rule, __u64 a,
                                                             __u64 b, __u64 block, __u64* chain) {
  return tp_model_fates(dp, rule, tp_hook_detail(dp, rule->detail), a, b, block, ~0ULL, chain);
}
TP_INLINE __u64 tp_hook_draw(struct tp_datapath* dp, __u32 index, __u64 a, __u64 b, __u64 block,
                             __u64* chain) {
  const struct tp_rule* rule = &dp->rules[index];
  if (TP_UNLIKELY(rule->model != TP_MODEL_RANDOM))
    return tp_rare_fates(dp, rule, a, b, block, chain);
  return tp_loss_mask(a, b, block, rule->threshold, ~0ULL);
}

#include "condition.h"
#include "ecn.h"
#include "flow.h"
#include "packet.h"

TP_INLINE __u64 tp_hook_seek(struct tp_datapath* dp, const struct tp_flow_place* place, __u32 now) {
  return tp_flow_seek(dp, place, now);
}
TP_INLINE int tp_hook_lose_flow(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                                __u64 flow_key) {
  return tp_flow_lose(dp, rule, index, flow_key);
}
TP_INLINE __u64 tp_hook_packet_hash(struct tp_datapath* dp, const struct tp_rule* rule,
                                    const struct tp_key* key, const __u8* data, const __u8* end) {
  (void)dp;
  return tp_packet_hash(key, data, end, rule->key_a, rule->key_b);
}
TP_INLINE int tp_hook_mark_ce(struct tp_datapath* dp, const struct tp_key* key, __u8* data,
                              const __u8* end) {
  (void)dp;
  return tp_mark_ce(key, data, end);
}
TP_INLINE __u32 tp_hook_chain(struct tp_datapath* dp, const struct tp_key* key, __u32 link) {
  return tp_first_holding(dp, key, link);
}

#include "classify.h"

TP_INLINE __u32 tp_hook_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                                 __u32 fallback) {
  return tp_classify(dp, key, n_shapes, fallback);
}

static inline __u64 tp_hook_fates(struct tp_datapath* dp, struct tp_state* state, __u32 index,
                                  __u64 block);

#include "pipeline.h"

TP_INLINE __u64 tp_hook_fates(struct tp_datapath* dp, struct tp_state* state, __u32 index,
                              __u64 block) {
  return tp_fates(dp, state, index, block);
}

#endif /* TWINPATH_POLICY_HOST_H_ */
