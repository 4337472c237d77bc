/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A datapath with tables in ordinary memory: see datapath.h. The DPDK worker and the host's tools
 * use it. One tp_datapath is one queue of one port. It points to the tables, which are read-only
 * and shared by all queues, and owns nothing. One thread at a time.
 */
#ifndef TWINPATH_POLICY_HOST_H_
#define TWINPATH_POLICY_HOST_H_

#include "table.h"
#include "tables.h"
#include "types.h"

/* A region of a table, on its own cache line. */
struct tp_padded_region {
  struct tp_region region;
} __attribute__((aligned(64)));

/* The flow table. Every queue points to it; none owns it. */
struct tp_flow_table {
  struct tp_flow_bucket* buckets; /* size.regions * size.region_buckets of them */
  struct tp_padded_region* regions;
  struct tp_table_size size;
  int one_thread; /* 1: one thread serves all queues, so that no lock is needed */
};

struct tp_datapath {
  struct tp_tables tables;            /* .shapes begins at the ingress port's plan.first_shape */
  struct tp_state* states;            /* of this queue, one for each rule */
  struct tp_rule_extras* rule_extras; /* one for each rule; NULL if no rule needs them */
  struct tp_queue_extras* extras;     /* of this queue; NULL only without flows and rule_extras */
  const struct tp_flow_table* flows;  /* of all queues; NULL only without flows */
  __u64 now;                          /* CLOCK_MONOTONIC_COARSE in ns; set per burst if needed */
  __u64 now_ns;                       /* exact time in ns; for links: no rule reads it yet */
  __u8* data;                         /* set for each frame */
  const __u8* end;
  __u8 port; /* the ingress port */
  __u8 drops_malformed;
};

typedef struct tp_datapath tp_env;
#define TP_ENV(dp) (dp)
TP_INLINE struct tp_datapath* tp_enter(tp_env* env, struct tp_datapath* room, __u32 words,
                                       int general) {
  (void)room;
  (void)words;
  (void)general;
  return env;
}

#define TP_ROW(dp, table, i) (&(dp)->tables.table[i])
#define TP_BUCKET_SHIFT(dp) ((dp)->tables.bucket_shift)
#define TP_DROPS_MALFORMED(dp) ((dp)->drops_malformed)

TP_INLINE struct tp_state* tp_stream(struct tp_datapath* dp, __u32 rule, __u32 slot) {
  (void)slot;
  return &dp->states[rule];
}
TP_INLINE struct tp_terms tp_terms_of(struct tp_datapath* dp, const struct tp_state* state) {
  (void)dp;
  return state->terms;
}
TP_INLINE struct tp_rule_extras* tp_extras_of_rule(struct tp_datapath* dp, __u32 rule, __u32 slot) {
  (void)slot;
  return dp->rule_extras ? &dp->rule_extras[rule] : 0;
}
TP_INLINE struct tp_queue_extras* tp_extras(struct tp_datapath* dp) { return dp->extras; }

TP_INLINE struct tp_table_size tp_flow_table_size(struct tp_datapath* dp) {
  const struct tp_table_size none = {0, 0};
  return dp->flows ? dp->flows->size : none;
}
TP_INLINE struct tp_flow_bucket* tp_flow_bucket_at(tp_env* env, __u32 i) {
  return &env->flows->buckets[i];
}
/* Lets another hardware thread of the core run while this one waits. */
TP_INLINE void tp_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#else
  __asm__ volatile("" ::: "memory");
#endif
}
TP_INLINE struct tp_region* tp_lock_region(struct tp_datapath* dp, __u32 i) {
  struct tp_region* region = &dp->flows->regions[i].region;
  if (!dp->flows->one_thread)
    while (__atomic_exchange_n(&region->locked, 1, __ATOMIC_ACQUIRE)) tp_relax();
  return region;
}
TP_INLINE void tp_unlock_region(struct tp_datapath* dp, struct tp_region* region) {
  if (!dp->flows->one_thread) __atomic_store_n(&region->locked, 0, __ATOMIC_RELEASE);
}

/* One thread serves a queue, so its streams need no lock. */
TP_INLINE int tp_lock_stream(struct tp_datapath* dp, struct tp_state* state) {
  (void)dp;
  (void)state;
  return 1;
}
TP_INLINE void tp_unlock_stream(struct tp_datapath* dp) { (void)dp; }

#endif /* TWINPATH_POLICY_HOST_H_ */
