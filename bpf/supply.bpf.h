/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Implements src/policy/datapath.h with BPF maps. One tp_datapath is one frame on its queue. */
#ifndef TWINPATH_BPF_SUPPLY_BPF_H_
#define TWINPATH_BPF_SUPPLY_BPF_H_

#include "bpf/layout.h"
#include "bpf/lock.bpf.h"
#include "bpf/maps.bpf.h"

const volatile struct tp_constants tp_constants = {};
struct tp_port_plan tp_port_plan SEC(".data.plan") = {};

/* Returns the constants that the loader wrote. The pointer hides the zeroes above from the
 * compiler. It is not volatile, so that each constant is loaded only once. */
TP_INLINE const struct tp_constants* tp_get_constants(void) {
  const struct tp_constants* constants = (const struct tp_constants*)&tp_constants;
  TP_OPAQUE(constants);
  return constants;
}

struct tp_datapath {
  const struct tp_constants* constants;
  struct xdp_md* ctx;
  __u32 queue_index; /* among the queues of all ports */
  __u32 words;       /* TP_WORDS; a constant of the program, 0 if it is blind */
  int may_draw;      /* TP_MAY_DRAW */
  int general;       /* TP_IS_GENERAL */
  __u64 now;         /* nanoseconds; set if a condition needs them */
  __u8* data;
  const __u8* end;
  __u8 port;
  struct tp_terms terms;              /* of the last stream that was looked up */
  struct tp_stream_lock* stream_lock; /* the lock that is held */
};

#define TP_WORDS(dp) ((dp)->words)
#define TP_IS_GENERAL(dp) ((dp)->general)
#define TP_IS_BLIND(dp) (!(dp)->words)
#define TP_MAY_DRAW(dp) ((dp)->may_draw)

/* These functions do not take the context, because that would cost the programs a register.
 * twinpath.bpf.c defines them. */
__u32 tp_probe_tuple(const struct tp_key* key, __u32 i);
__u32 tp_probe_headers(const struct tp_key* key, __u32 i);
#define TP_PROBE(dp, key, i) \
  ((dp)->words == TP_TUPLE_WORDS ? tp_probe_tuple(key, i) : tp_probe_headers(key, i))

/* A subprogram finds the tables in maps, and reads the frame and the queue from the context. */
typedef struct xdp_md tp_env;
#define TP_ENV(dp) ((dp)->ctx)
TP_INLINE struct tp_datapath* tp_enter(tp_env* env, struct tp_datapath* room, __u32 words,
                                       int general) {
  const struct tp_constants* constants = tp_get_constants();
  *room = (struct tp_datapath){.constants = constants,
                               .ctx = env,
                               .queue_index = env->rx_queue_index + constants->first_queue,
                               .words = words,
                               .general = general,
                               .port = (__u8)constants->port,
                               .data = (__u8*)(long)env->data,
                               .end = (const __u8*)(long)env->data_end};
  return room;
}

/* Reads the frame's pointers again, so that they need not stay in two registers meanwhile. */
#define TP_FRAME_AGAIN(dp)                            \
  do {                                                \
    const volatile struct xdp_md* tp_ctx = (dp)->ctx; \
    (dp)->data = (__u8*)(long)tp_ctx->data;           \
    (dp)->end = (const __u8*)(long)tp_ctx->data_end;  \
  } while (0)

#define TP_ROW(dp, table, i) tp_lookup_##table(dp, i)
#define TP_MAP_ROW(name, type)                                      \
  TP_INLINE const type* tp_lookup_##name(const void* dp, __u32 i) { \
    (void)dp;                                                       \
    return bpf_map_lookup_elem(&tp_##name, &i);                     \
  }
TP_SHARED_TABLES(TP_MAP_ROW)
TP_INLINE const struct tp_shape* tp_lookup_shapes(const void* dp, __u32 i) {
  (void)dp;
  return &tp_port_plan.shapes[i & (TP_MAX_SHAPES - 1)];
}
#define TP_BUCKET_SHIFT(dp) (tp_port_plan.bucket_shift)
#define TP_DROPS_MALFORMED(dp) ((void)(dp), tp_port_plan.drops_malformed)

/* Returns the stream of a slot, from the map of streams. */
TP_INLINE struct tp_state* tp_mapped_stream(struct tp_datapath* dp, __u32 slot) {
  __u32 at = dp->queue_index * dp->constants->n_slots + slot;
  return bpf_map_lookup_elem(&tp_states, &at);
}
/* Returns the stream in the queue's record, beside its counters. */
TP_INLINE struct tp_state* tp_own_stream(struct tp_datapath* dp) {
  __u32 record = dp->queue_index + tp_port_plan.own_place;
  TP_OPAQUE(record); /* so that the verifier sees the bound here */
  return &tp_queues[record & (TP_GENERATIONS * TP_MAX_XDP_QUEUES - 1)].stream;
}

/* The fast tiers do not use `slot`: they find a rule's slot and terms in its binding. With the
 * trait `direct` they need no binding, which saves a lookup. */
TP_INLINE struct tp_state* tp_stream(struct tp_datapath* dp, __u32 rule, __u32 slot) {
  if (!dp->general && dp->constants->traits.direct) {
    struct tp_state* state = tp_mapped_stream(dp, rule);
    if (state) dp->terms = state->terms;
    return state;
  }
  if (!dp->general) {
    const struct tp_binding* binding = bpf_map_lookup_elem(&tp_bindings, &rule);
    if (!binding) return 0;
    dp->terms = binding->terms;
    slot = binding->slot;
  }
  return rule == tp_port_plan.own_rule ? tp_own_stream(dp) : tp_mapped_stream(dp, slot);
}
TP_INLINE struct tp_terms tp_terms_of(struct tp_datapath* dp, const struct tp_state* state) {
  (void)state;
  return dp->words ? dp->terms : dp->constants->traits.blind.terms;
}
TP_INLINE struct tp_rule_extras* tp_extras_of_rule(struct tp_datapath* dp, __u32 rule, __u32 slot) {
  (void)rule;
  __u32 at = dp->queue_index * dp->constants->n_slots + slot;
  return bpf_map_lookup_elem(&tp_rule_extras, &at);
}
TP_INLINE struct tp_queue_extras* tp_extras(struct tp_datapath* dp) {
  return dp->queue_index < TP_MAX_XDP_QUEUES ? &tp_queue_extras[dp->queue_index] : 0;
}

TP_INLINE struct tp_table_size tp_flow_table_size(struct tp_datapath* dp) {
  const struct tp_table_size size = {dp->constants->regions, dp->constants->region_buckets};
  return size;
}
TP_INLINE struct tp_flow_bucket* tp_flow_bucket_at(tp_env* env, __u32 i) {
  (void)env;
  return bpf_map_lookup_elem(&tp_flows, &i);
}
TP_INLINE struct tp_region* tp_lock_region(struct tp_datapath* dp, __u32 i) {
  (void)dp;
  struct tp_region* region = bpf_map_lookup_elem(&tp_flow_regions, &i);
  return region && tp_lock(&region->locked) ? region : 0;
}
TP_INLINE void tp_unlock_region(struct tp_datapath* dp, struct tp_region* region) {
  (void)dp;
  tp_unlock(&region->locked);
}

TP_INLINE int tp_lock_stream(struct tp_datapath* dp, struct tp_state* state) {
  __u32 index = (__u32)state->key_a & (TP_STREAM_LOCKS - 1);
  dp->stream_lock = bpf_map_lookup_elem(&tp_stream_locks, &index);
  if (!dp->stream_lock) return 0;
  bpf_spin_lock(&dp->stream_lock->lock);
  return 1;
}
TP_INLINE void tp_unlock_stream(struct tp_datapath* dp) { bpf_spin_unlock(&dp->stream_lock->lock); }

#endif /* TWINPATH_BPF_SUPPLY_BPF_H_ */
