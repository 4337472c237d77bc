/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* What the XDP programs and their loader in src/xdp share, beside the policy's tables. */
#ifndef TWINPATH_BPF_LAYOUT_H_
#define TWINPATH_BPF_LAYOUT_H_

#include "src/policy/types.h"

enum {
  TP_MAX_XDP_QUEUES = 1024, /* RX queues over all ports */
  TP_STREAM_LOCKS = 1024,   /* a power of two */
  TP_GENERATIONS = 2,       /* sets of tables and programs, which take turns */
};

/* Where a rule's streams are, and what the fast tiers ask of the rule: by rule, a table of the
 * generation. The rule's place in the policy, its slot and its terms change by themselves, because
 * a stream that a reload continues stays where it is. */
struct tp_binding {
  __u32 slot;
  struct tp_terms terms;
  __u8 padding;
};
TP_STATIC_ASSERT(sizeof(struct tp_binding) == 8, "shared with src/xdp");

/* No record of a queue. */
#define TP_NO_RECORD 0xffffffffU

/* What a program of a fast tier is made for: the verifier removes what the program then cannot
 * reach. A policy with other traits takes another program. The general tier's are 0, because the
 * verifier takes long for its programs, and so one of them runs every policy. */
struct tp_traits {
  __u32 one_shape; /* tp_plan.n_shapes is 1 */
  __u32 direct;    /* every rule's slot is its own number, and its streams have its terms */
  /* Of a blind program: */
  __u32
      blind_record; /* of the port's queue 0, with the stream; TP_NO_RECORD: the stream is mapped */
  struct tp_binding blind; /* of the rule that takes all */
};

/* What a program knows before it is loaded: its .rodata. The verifier takes these for constants.
 * Written once by the control thread, frozen by the kernel at load. */
struct tp_constants {
  __u32 port;           /* ingress, index into the policy's ports */
  __u32 first_record;   /* the port's queue 0, among the tp_queues of the generation */
  __u32 first_queue;    /* the port's queue 0, among the queues of all ports */
  __u32 n_queues;       /* the port's; first_queue + n_queues <= TP_MAX_XDP_QUEUES */
  __u32 n_slots;        /* streams of a queue, at most */
  __u32 no_xdp_tx;      /* frames that leave by the port they came by are redirected, too */
  __u32 regions;        /* of the table of flows; 0: there is none */
  __u32 region_buckets; /* of each region */
  __u32 clock_given;    /* the time is tp_clock, and not the kernel's */
  struct tp_traits traits;
};

/* A port's part of the policy, in memory that the control thread writes while no program of the
 * generation is attached: its .data.plan. So a program takes one policy after another. */
struct tp_port_plan {
  __u32 n_shapes;     /* as in tp_plan */
  __u32 fallback;     /* as in tp_plan */
  __u32 bucket_shift; /* see tp_first_bucket */
  __u32 timed;        /* a rule's condition asks for the time */
  __u32 own_rule;     /* whose streams on this port are in tp_xdp_queue.stream, or TP_NO_RULE */
  __u32 own_place;    /* 0, or TP_MAX_XDP_QUEUES for those of generation 1 */
  struct tp_shape shapes[TP_MAX_SHAPES];
};
TP_STATIC_ASSERT(sizeof(struct tp_port_plan) == 24 + 80 * TP_MAX_SHAPES, "shared with src/xdp");

/*
 * One queue, as one generation counts it: so the control thread knows what an earlier policy
 * counted. Written by the CPU that serves the queue, read by anyone. A blind program counts what it
 * receives by its stream and by its verdicts alone. Its stream is in here and not in the map of
 * streams, so that the stream is found without a call; either generation's place may have it,
 * because a stream that a reload continues stays where it is.
 */
struct tp_xdp_queue {
  struct tp_queue_counters counters;
  struct tp_state stream;
  __u32 cpu; /* 1 + the CPU that last served it; 0: none yet */
  __u32 padding[15];
};
TP_STATIC_ASSERT(sizeof(struct tp_xdp_queue) == 512, "shared with src/xdp; a power of two");

#endif /* TWINPATH_BPF_LAYOUT_H_ */
