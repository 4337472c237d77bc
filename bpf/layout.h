/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The types, besides the policy's tables, that the XDP programs share with their loader, src/xdp.
 */
#ifndef TWINPATH_BPF_LAYOUT_H_
#define TWINPATH_BPF_LAYOUT_H_

#include "src/policy/types.h"

enum {
  TP_MAX_XDP_QUEUES = 1024, /* RX queues over all ports */
  TP_STREAM_LOCKS = 1024,   /* a power of two */
  TP_GENERATIONS = 2,       /* sets of tables and programs, used in turn */
};

/* Where a rule's streams are, and the rule's terms, which the fast tiers need. Each generation has
 * a table of bindings, by rule. A reload may change a rule's index and terms, but its slot stays
 * the same, because a stream that a reload keeps is not moved. */
struct tp_binding {
  __u32 slot;
  struct tp_terms terms;
  __u8 padding;
};
TP_STATIC_ASSERT(sizeof(struct tp_binding) == 8, "shared with src/xdp");

/* An interface by which frames leave. The control thread writes it, even while programs run. */
struct tp_out_port {
  __u32 longest;   /* frame that the kernel redirects there, in bytes; 0: the interface is down */
  __u32 interface; /* its index; 0: it is gone */
};

/* Metadata in front of a frame that is longer than tp_out_port.longest, for tp_send_long. */
struct tp_long_frame {
  __u32 mark;   /* TP_LONG_FRAME */
  __u32 record; /* index into tp_queues: the queue that received the frame */
  __u32 out_port;
};
#define TP_LONG_FRAME 0x74706c66U

/* No record of a queue. */
#define TP_NO_RECORD 0xffffffffU

/* The traits of the policy for which a program of a fast tier is loaded. They are constants, so the
 * verifier removes code that the program cannot reach. A policy with other traits needs another
 * program. In the general tier they are 0: the verifier takes long for its programs, so one program
 * serves all policies. */
struct tp_traits {
  __u32 one_shape; /* tp_plan.n_shapes is 1 */
  __u32 direct;    /* every rule's slot is its own number, and its streams have its terms */
  /* For a blind program: */
  __u32 blind_record;      /* the record of the port's queue 0, which has the stream; TP_NO_RECORD:
                              the stream is in the map of streams */
  struct tp_binding blind; /* of the rule that matches all packets */
};

/* A program's .rodata. The verifier treats these values as constants. The control thread writes
 * them once; the kernel freezes them when it loads the program. */
struct tp_constants {
  __u32 port;           /* ingress, index into the policy's ports */
  __u32 first_record;   /* the port's queue 0, among the tp_queues of the generation */
  __u32 first_queue;    /* the port's queue 0, among the queues of all ports */
  __u32 n_queues;       /* of the port; first_queue + n_queues <= TP_MAX_XDP_QUEUES */
  __u32 n_slots;        /* streams of a queue, at most */
  __u32 no_xdp_tx;      /* redirects even frames that leave by their ingress port */
  __u32 regions;        /* of the flow table; 0: there is none */
  __u32 region_buckets; /* of each region */
  __u32 clock_given;    /* the time is tp_clock instead of the kernel's clock */
  struct tp_traits traits;
};

/* A port's part of the policy: the .data.plan of its programs. The control thread writes it while
 * no program of the generation is attached. So a program serves one policy after the other. */
struct tp_port_plan {
  __u32 n_shapes;        /* as in tp_plan */
  __u32 fallback;        /* as in tp_plan */
  __u32 bucket_shift;    /* see tp_first_bucket */
  __u32 timed;           /* a rule's condition needs the time */
  __u32 own_rule;        /* the rule whose streams are in tp_xdp_queue.stream; or TP_NO_RULE */
  __u32 own_place;       /* offset of those records: 0, or TP_MAX_XDP_QUEUES for generation 1 */
  __u32 drops_malformed; /* TP_DROPS_MALFORMED */
  __u32 padding;
  struct tp_shape shapes[TP_MAX_SHAPES];
};
TP_STATIC_ASSERT(sizeof(struct tp_port_plan) == 32 + 80 * TP_MAX_SHAPES, "shared with src/xdp");

/*
 * The counters of one queue in one generation. Each generation has its own counters, so the control
 * thread knows what an earlier policy counted. Written by the CPU that serves the queue; any thread
 * may read them.
 *
 * A blind program does not count received frames, because the sum of its verdicts is their number.
 * Its stream is in this record instead of in the map of streams, so that the program finds it
 * without a call. The stream may be in the record of either generation, because a stream that a
 * reload keeps is not moved.
 */
struct tp_xdp_queue {
  struct tp_queue_counters counters;
  struct tp_state stream;
  __u32 cpu; /* 1 + the CPU that last served it; 0: none yet */
  __u32 padding[15];
};
TP_STATIC_ASSERT(sizeof(struct tp_xdp_queue) == 512, "shared with src/xdp; a power of two");

#endif /* TWINPATH_BPF_LAYOUT_H_ */
