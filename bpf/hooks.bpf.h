/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The datapath hooks of src/policy over BPF maps: one tp_datapath is one frame on its queue. */
#ifndef TWINPATH_BPF_HOOKS_BPF_H_
#define TWINPATH_BPF_HOOKS_BPF_H_

#include "bpf/layout.h"
#include "bpf/maps.bpf.h"
#include "src/policy/parse.h"
#include "src/policy/random.h"
#include "src/policy/reflect.h"

const volatile struct tp_constants tp_constants = {};

/* The constants as the loader wrote them. Not volatile, so that each is loaded where it is used,
 * once; behind a pointer that hides the zeroes above from the compiler. */
TP_INLINE const struct tp_constants* tp_get_constants(void) {
  const struct tp_constants* constants = (const struct tp_constants*)&tp_constants;
  TP_OPAQUE(constants);
  return constants;
}

struct tp_datapath {
  const struct tp_constants* constants;
  struct xdp_md* ctx;
  struct tp_xdp_queue* queue;
  __u32 queue_index; /* over all ports */
  __u32 words;       /* of the key; a constant of the program, 0 where it looks at no header */
  int draws;         /* 0 where the block's fates are known to be drawn; a constant */
};

/*
 * The walk through the headers is a function of its own, not for speed but because the verifier
 * then follows its many ways once, instead of once for every way through what comes after. Global,
 * for the same reason: the verifier follows a static function again at every call. It is the slower
 * for it: the commonest frames go another way.
 */
#define TP_PARSER(name, words)                                                                  \
  __attribute__((noinline)) int name(struct xdp_md* ctx, struct tp_key* key, __u32 frame_len) { \
    if (!key) return TP_PARSE_MALFORMED;                                                        \
    return tp_parse_headers((const __u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end,     \
                            frame_len, (__u8)tp_get_constants()->port, words, key);             \
  }
TP_PARSER(tp_parse_narrow, TP_NARROW_WORDS)
TP_PARSER(tp_parse_full, TP_ALL_WORDS)

TP_INLINE int tp_hook_parse(struct tp_datapath* dp, const __u8* data, const __u8* end,
                            __u32 frame_len, __u8 port, struct tp_key* key) {
  struct tp_key walked;
  if (TP_LIKELY(tp_parse_common(data, end, frame_len, port, dp->words, key))) return TP_PARSED;
  __builtin_memset(&walked, 0, sizeof(walked)); /* kernels before 6.3 ask for it */
  if (dp->words == TP_NARROW_WORDS ? tp_parse_narrow(dp->ctx, &walked, frame_len)
                                   : tp_parse_full(dp->ctx, &walked, frame_len))
    return TP_PARSE_MALFORMED;
  *key = walked;
  return TP_PARSED;
}

TP_INLINE __u32 tp_hook_words(struct tp_datapath* dp) { return dp->words; }

TP_INLINE const struct tp_shape* tp_hook_shape(struct tp_datapath* dp, __u32 i) {
  return &dp->constants->shapes[i & (TP_MAX_SHAPES - 1)];
}

TP_INLINE const struct tp_bucket* tp_hook_bucket(struct tp_datapath* dp, __u32 i) {
  __u32 index = i & dp->constants->bucket_mask;
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

/* The draws of 64 packets at once: a function of its own, so that the program needs no registers
 * for what happens once in 64 packets. */
__attribute__((noinline)) __u64 tp_draw_fates(const struct tp_state* state, __u64 block,
                                              __u64 lanes) {
  if (!state) return 0;
  struct tp_datapath dp = {.constants = tp_get_constants()};
  return tp_fates(state, block, tp_hook_threshold(&dp, state->rule), lanes);
}

TP_INLINE __u64 tp_hook_fates(struct tp_datapath* dp, const struct tp_state* state, __u64 block,
                              __u64 lanes) {
  return dp->draws ? tp_draw_fates(state, block, lanes) : state->mask;
}

/* Where the frame lies is asked again: until here, two registers more are free. */
TP_INLINE int tp_hook_reflect(struct tp_datapath* dp, __u8* data, const __u8* end) {
  (void)data;
  (void)end;
  const volatile struct xdp_md* ctx = dp->ctx;
  return tp_reflect((__u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end);
}

TP_INLINE int tp_hook_sole(struct tp_datapath* dp) { return !dp->words; }

TP_INLINE const struct tp_state* tp_hook_fixed(struct tp_datapath* dp,
                                               const struct tp_state* state) {
  return dp->words ? state : &dp->constants->only;
}

TP_INLINE struct tp_state* tp_hook_state(struct tp_datapath* dp, __u32 rule) {
  if (!dp->words) return &dp->queue->only;
  __u32 index = dp->queue_index * dp->constants->n_rules + rule;
  return bpf_map_lookup_elem(&tp_states, &index);
}

#include "src/policy/classify.h"

/* One shape, as a function of its own, for the verifier as above: of the shapes behind the first,
 * which most ports do not have. */
#define TP_PROBE(name, key_words)                                                  \
  __attribute__((noinline)) __u32 name(const struct tp_key* key, __u32 shape) {    \
    struct tp_datapath dp = {.constants = tp_get_constants(), .words = key_words}; \
    if (!key) return TP_NO_RULE;                                                   \
    return tp_lookup_shape(&dp, key, tp_hook_shape(&dp, shape));                   \
  }
TP_PROBE(tp_probe_narrow, TP_NARROW_WORDS)
TP_PROBE(tp_probe_full, TP_ALL_WORDS)

TP_INLINE __u32 tp_hook_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                                 __u32 fallback) {
  const struct tp_shape* first = tp_hook_shape(dp, 0);
  __u32 best = fallback;
  if (first->min_rule < best) {
    __u32 rule = tp_lookup_shape(dp, key, first);
    if (rule < best) best = rule;
  }
  if (n_shapes == 1) return best;
  struct tp_key whole = {}; /* kernels before 6.3 ask for one without gaps */
  tp_u64_alias* to = (tp_u64_alias*)&whole;
  const tp_u64_alias* from = (const tp_u64_alias*)key;
  for (int i = 0; i < TP_KEY_WORDS; i++)
    if (dp->words & TP_WORD(i)) to[i] = from[i];
  for (__u32 i = 1; i < TP_MAX_SHAPES; i++) {
    if (i >= n_shapes || tp_hook_shape(dp, i)->min_rule >= best) break;
    __u32 rule =
        dp->words == TP_NARROW_WORDS ? tp_probe_narrow(&whole, i) : tp_probe_full(&whole, i);
    if (rule < best) best = rule;
  }
  return best;
}

#include "src/policy/pipeline.h"

#endif /* TWINPATH_BPF_HOOKS_BPF_H_ */
