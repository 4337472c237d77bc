/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The datapath hooks of src/policy over BPF maps: one tp_datapath is one frame on its queue. */
#ifndef TWINPATH_BPF_HOOKS_BPF_H_
#define TWINPATH_BPF_HOOKS_BPF_H_

#include "bpf/layout.h"
#include "bpf/lock.bpf.h"
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

/* The instance's own, as tp_constants is. */
struct tp_live tp_live SEC(".data.live") = {};

struct tp_datapath {
  const struct tp_constants* constants;
  struct xdp_md* ctx;
  struct tp_xdp_queue* queue;
  __u32 queue_index; /* over all ports */
  __u32 words;       /* of the key; a constant of the program, 0 where it looks at no header */
  int draws;         /* 0 where the block's fates are known to be drawn; a constant */
  int any;           /* rules may ask for anything; a constant */
  __u64 now;         /* nanoseconds, where a condition asks for them */
  struct tp_flow_region* region; /* that is locked */
  struct tp_stream_lock* stream; /* likewise */
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
  if (dp->any && !tp_live.looks) { /* nothing reads the key; the verifier asks for one */
    __u64 nothing = 0;
    TP_FORGET(nothing);
    tp_u64_alias* k = (tp_u64_alias*)key;
    for (int i = 0; i < TP_KEY_WORDS; i++) k[i] = nothing;
    return TP_PARSED;
  }
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
  if (dp->any) return &tp_live.shapes[i & (TP_MAX_SHAPES - 1)];
  return &dp->constants->shapes[i & (TP_MAX_SHAPES - 1)];
}

TP_INLINE const struct tp_bucket* tp_hook_bucket(struct tp_datapath* dp, __u32 i) {
  __u32 index = i & (dp->any ? tp_live.bucket_mask : dp->constants->bucket_mask);
  return bpf_map_lookup_elem(&tp_buckets, &index);
}

TP_INLINE const struct tp_key* tp_hook_entry(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_entries, &i);
}

TP_INLINE const struct tp_rule* tp_hook_rule(struct tp_datapath* dp, __u32 rule) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_rules, &rule);
}
TP_INLINE const struct tp_detail* tp_hook_detail(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_details, &i);
}
TP_INLINE const struct tp_link* tp_hook_link(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_links, &i);
}
TP_INLINE const struct tp_run* tp_hook_run(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_runs, &i);
}
TP_INLINE __u64 tp_hook_now(struct tp_datapath* dp) { return dp->now; }
TP_INLINE struct tp_queue_extras* tp_hook_extras(struct tp_datapath* dp) {
  return dp->queue_index < TP_MAX_XDP_QUEUES ? &tp_extras[dp->queue_index] : 0;
}
TP_INLINE struct tp_flow_bucket* tp_hook_flows(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  return bpf_map_lookup_elem(&tp_flows, &i);
}
TP_INLINE __u32 tp_hook_regions(struct tp_datapath* dp) { return dp->constants->regions; }
TP_INLINE __u32 tp_hook_region_buckets(struct tp_datapath* dp) {
  return dp->constants->region_buckets;
}
TP_INLINE __u32* tp_hook_lock(struct tp_datapath* dp, __u32 region) {
  dp->region = bpf_map_lookup_elem(&tp_flow_regions, &region);
  if (!dp->region || !tp_lock(&dp->region->locked)) return 0;
  return &dp->region->packets;
}
TP_INLINE void tp_hook_unlock(struct tp_datapath* dp, __u32 region) {
  (void)region;
  tp_unlock(&dp->region->locked);
}
TP_INLINE int tp_hook_lock_stream(struct tp_datapath* dp, struct tp_state* state) {
  __u32 index = (__u32)state->key_a & (TP_STREAM_LOCKS - 1);
  dp->stream = bpf_map_lookup_elem(&tp_stream_locks, &index);
  if (!dp->stream) return 0;
  bpf_spin_lock(&dp->stream->lock);
  return 1;
}
TP_INLINE void tp_hook_unlock_stream(struct tp_datapath* dp) { bpf_spin_unlock(&dp->stream->lock); }

TP_INLINE struct tp_state* tp_hook_state(struct tp_datapath* dp, __u32 rule) {
  if (!dp->words) return &dp->queue->only;
  __u32 index = dp->queue_index * dp->constants->n_slots + rule;
  return bpf_map_lookup_elem(&tp_states, &index);
}
TP_INLINE struct tp_state* tp_hook_state_of(struct tp_datapath* dp, const struct tp_rule* rule,
                                            __u32 index) {
  if (index == tp_live.only_rule) {
    __u32 queue = dp->queue_index; /* below TP_MAX_XDP_QUEUES, which the verifier is to see here */
    TP_OPAQUE(queue);
    return &tp_queues[queue & (TP_MAX_XDP_QUEUES - 1)].only;
  }
  __u32 at = dp->queue_index * dp->constants->n_slots + rule->slot;
  return bpf_map_lookup_elem(&tp_states, &at);
}
TP_INLINE struct tp_count* tp_hook_marked(struct tp_datapath* dp, const struct tp_rule* rule,
                                          __u32 index) {
  (void)index;
  __u32 at = dp->queue_index * dp->constants->n_slots + rule->slot;
  return bpf_map_lookup_elem(&tp_marked, &at);
}
TP_INLINE __u64 tp_hook_matched(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index) {
  const struct tp_state* state = tp_hook_state_of(dp, rule, index);
  return state ? state->n : 0;
}

/* The draws of 64 packets against one threshold: a function of its own, for the verifier as above,
 * and so that programs need no registers for what happens once in 64 packets. */
__attribute__((noinline)) __u64 tp_draw_mask(__u64 a, __u64 b, __u64 block, __u64 threshold,
                                             __u64 lanes) {
  return tp_loss_mask(a, b, block, threshold, lanes);
}
TP_INLINE __u64 tp_hook_mask(__u64 a, __u64 b, __u64 block, __u64 threshold, __u64 lanes) {
  return tp_draw_mask(a, b, block, threshold, lanes);
}

#include "src/policy/model.h"

/* The fates of 64 packets in any model, likewise. */
__attribute__((noinline)) __u64 tp_draw_block(__u32 index, __u64 a, __u64 b, __u64 block,
                                              __u64* chain) {
  struct tp_datapath dp = {.constants = tp_get_constants()};
  const struct tp_rule* rule = tp_hook_rule(&dp, index);
  if (!rule || !chain) return 0;
  const struct tp_detail* detail = tp_hook_detail(&dp, rule->detail);
  if (!detail) return 0;
  return tp_model_fates(&dp, rule, detail, a, b, block, ~0ULL, chain);
}
TP_INLINE __u64 tp_hook_draw(struct tp_datapath* dp, __u32 index, __u64 a, __u64 b, __u64 block,
                             __u64* chain) {
  (void)dp;
  return tp_draw_block(index, a, b, block, chain);
}

#include "src/policy/condition.h"
#include "src/policy/ecn.h"
#include "src/policy/flow.h"
#include "src/policy/packet.h"

/* Of what is not at its home, a function of its own, for the verifier as above. */
__attribute__((noinline)) __u64 tp_seek_flow(const struct tp_flow_place* place, __u32 now) {
  struct tp_datapath dp = {};
  return place ? tp_flow_seek(&dp, place, now) : TP_FLOW_NOWHERE;
}
TP_INLINE __u64 tp_hook_seek(struct tp_datapath* dp, const struct tp_flow_place* place, __u32 now) {
  (void)dp;
  return tp_seek_flow(place, now);
}

TP_INLINE int tp_hook_lose_flow(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                                __u64 flow_key) {
  /* Where the policy has no flows, the verifier need not follow it. */
  return dp->constants->regions ? tp_flow_lose(dp, rule, index, flow_key) : 0;
}

/* What few programs do, each a function of its own, for the verifier as above. */
__attribute__((noinline)) __u64 tp_hash_packet(struct xdp_md* ctx, const struct tp_key* key,
                                               __u64 a, __u64 b) {
  if (!key) return 0;
  return tp_packet_hash(key, (const __u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end, a, b);
}
TP_INLINE __u64 tp_hook_packet_hash(struct tp_datapath* dp, const struct tp_rule* rule,
                                    const struct tp_key* key, const __u8* data, const __u8* end) {
  (void)data;
  (void)end;
  return tp_hash_packet(dp->ctx, key, rule->key_a, rule->key_b);
}

__attribute__((noinline)) int tp_mark_packet(struct xdp_md* ctx, const struct tp_key* key) {
  if (!key) return 0;
  return tp_mark_ce(key, (__u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end);
}
TP_INLINE int tp_hook_mark_ce(struct tp_datapath* dp, const struct tp_key* key, __u8* data,
                              const __u8* end) {
  (void)data;
  (void)end;
  return tp_mark_packet(dp->ctx, key);
}

__attribute__((noinline)) __u32 tp_hold_first(const struct tp_key* key, __u32 link,
                                              __u32 queue_index, __u64 now) {
  struct tp_datapath dp = {
      .constants = tp_get_constants(), .queue_index = queue_index, .any = 1, .now = now};
  if (!key) return TP_NO_RULE;
  return tp_first_holding(&dp, key, link);
}
TP_INLINE __u32 tp_hook_chain(struct tp_datapath* dp, const struct tp_key* key, __u32 link) {
  if (!dp->any) return TP_NO_RULE;
  return tp_hold_first(key, link, dp->queue_index, dp->now);
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
__attribute__((noinline)) __u32 tp_probe_any(const struct tp_key* key, __u32 shape,
                                             __u32 queue_index, __u64 now) {
  struct tp_datapath dp = {.constants = tp_get_constants(),
                           .queue_index = queue_index,
                           .words = TP_ALL_WORDS,
                           .any = 1,
                           .now = now};
  if (!key) return TP_NO_RULE;
  return tp_lookup_shape(&dp, key, tp_hook_shape(&dp, shape));
}

TP_INLINE __u32 tp_hook_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                                 __u32 fallback) {
  const struct tp_shape* first = tp_hook_shape(dp, 0);
  __u32 best = fallback;
  if (dp->any) {
    if (n_shapes && first->min_rule < best) {
      __u32 rule = tp_lookup_shape(dp, key, first);
      if (rule < best) best = rule;
    }
    for (__u32 i = 1; i < TP_MAX_SHAPES; i++) {
      if (i >= n_shapes || tp_hook_shape(dp, i)->min_rule >= best) break;
      __u32 rule = tp_probe_any(key, i, dp->queue_index, dp->now);
      if (rule < best) best = rule;
    }
    return best;
  }
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

static inline __u64 tp_hook_fates(struct tp_datapath* dp, struct tp_state* state, __u32 index,
                                  __u64 block);
#include "src/policy/pipeline.h"

/* Of a stream, once in 64 packets. */
__attribute__((noinline)) __u64 tp_draw_fates(struct tp_state* state, __u32 index, __u64 block) {
  struct tp_datapath dp = {.constants = tp_get_constants()};
  return state ? tp_fates(&dp, state, index, block) : 0;
}
TP_INLINE __u64 tp_hook_fates(struct tp_datapath* dp, struct tp_state* state, __u32 index,
                              __u64 block) {
  return dp->draws ? tp_draw_fates(state, index, block) : state->mask;
}

#endif /* TWINPATH_BPF_HOOKS_BPF_H_ */
