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
  struct tp_state* states; /* this queue's, one for each rule */
  __u32 bucket_mask;       /* number of buckets - 1; a power of two */
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
TP_INLINE __u64 tp_hook_threshold(struct tp_datapath* dp, __u32 rule) {
  return dp->rules[rule].threshold;
}
TP_INLINE __u64 tp_hook_fates(struct tp_datapath* dp, const struct tp_state* state, __u64 block,
                              __u64 lanes) {
  return tp_fates(state, block, tp_hook_threshold(dp, state->rule), lanes);
}
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

#include "classify.h"

TP_INLINE __u32 tp_hook_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                                 __u32 fallback) {
  return tp_classify(dp, key, n_shapes, fallback);
}

#include "pipeline.h"

#endif /* TWINPATH_POLICY_HOST_H_ */
