/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The datapath hooks of src/policy over BPF maps: one tp_datapath is one frame on its queue. */
#ifndef TWINPATH_BPF_HOOKS_BPF_H_
#define TWINPATH_BPF_HOOKS_BPF_H_

#include "bpf/layout.h"
#include "bpf/maps.bpf.h"
#include "src/policy/parse.h"

const volatile struct tp_constants tp_constants = {};

struct tp_datapath {
  struct xdp_md* ctx;
  __u32 queue; /* over all ports */
  __u32 words; /* of the key; a constant of the program */
};

/*
 * The parser is a function of its own, not for speed but because the verifier then follows its many
 * ways once, instead of once for every way through what comes after. Global, for the same reason:
 * the verifier follows a static function again at every call.
 */
#define TP_PARSER(name, words)                                                                  \
  __attribute__((noinline)) int name(struct xdp_md* ctx, struct tp_key* key, __u32 frame_len) { \
    if (!key) return TP_PARSE_MALFORMED;                                                        \
    return tp_parse_words((const __u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end,       \
                          frame_len, (__u8)tp_constants.port, words, key);                      \
  }
TP_PARSER(tp_parse_narrow, TP_NARROW_WORDS)
TP_PARSER(tp_parse_full, TP_ALL_WORDS)

TP_INLINE int tp_hook_parse(struct tp_datapath* dp, const __u8* data, const __u8* end,
                            __u32 frame_len, __u8 port, struct tp_key* key) {
  (void)data, (void)end, (void)port;
  __builtin_memset(key, 0, sizeof(*key)); /* kernels before 6.3 ask for it */
  return dp->words == TP_NARROW_WORDS ? tp_parse_narrow(dp->ctx, key, frame_len)
                                      : tp_parse_full(dp->ctx, key, frame_len);
}

TP_INLINE __u32 tp_hook_words(struct tp_datapath* dp) { return dp->words; }

TP_INLINE const struct tp_shape* tp_hook_shape(struct tp_datapath* dp, __u32 i) {
  __u32 index = tp_constants.first_shape + i;
  (void)dp;
  return bpf_map_lookup_elem(&tp_shapes, &index);
}

TP_INLINE const struct tp_bucket* tp_hook_bucket(struct tp_datapath* dp, __u32 i) {
  __u32 index = i & tp_constants.bucket_mask;
  (void)dp;
  return bpf_map_lookup_elem(&tp_buckets, &index);
}

TP_INLINE const struct tp_key* tp_hook_entry(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_entries, &i);
}

TP_INLINE __u64 tp_hook_threshold(struct tp_datapath* dp, __u32 rule) {
  const struct tp_rule* entry = bpf_map_lookup_elem(&tp_rules, &rule);
  (void)dp;
  return entry ? entry->threshold : 0;
}

TP_INLINE struct tp_state* tp_hook_state(struct tp_datapath* dp, __u32 rule) {
  __u32 index = dp->queue * tp_constants.n_rules + rule;
  return bpf_map_lookup_elem(&tp_states, &index);
}

#include "src/policy/pipeline.h"

#endif /* TWINPATH_BPF_HOOKS_BPF_H_ */
