/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* What the XDP program and its loader in src/xdp share beside the policy's tables. */
#ifndef TWINPATH_BPF_LAYOUT_H_
#define TWINPATH_BPF_LAYOUT_H_

#include "src/policy/types.h"

enum {
  TP_MAX_XDP_QUEUES = 1024, /* RX queues over all ports */
  TP_STREAM_LOCKS = 1024,   /* a power of two */
};

/* What one instance of the program knows before it is loaded: its .rodata. The verifier takes these
 * for constants. Written once by the control thread, frozen by the kernel at load. */
struct tp_constants {
  __u32 port;           /* ingress, index into the policy's ports */
  __u32 first_queue;    /* the port's queue 0, among the queues of all ports */
  __u32 n_queues;       /* the port's; first_queue + n_queues <= TP_MAX_XDP_QUEUES */
  __u32 n_slots;        /* streams of a queue, at most */
  __u32 n_shapes;       /* as in tp_plan */
  __u32 fallback;       /* as in tp_plan */
  __u32 bucket_mask;    /* number of buckets - 1 */
  __u32 no_xdp_tx;      /* what leaves by the port it came by is redirected, too */
  __u32 regions;        /* of the table of flows */
  __u32 region_buckets; /* of each */
  __u32 clock_given;    /* tp_clock says the time, and not the kernel */
  __u32 padding;
  struct tp_state only;                  /* as tp_xdp_queue.only, for its constant fields */
  struct tp_shape shapes[TP_MAX_SHAPES]; /* the plan's run */
};
TP_STATIC_ASSERT(sizeof(struct tp_constants) == 112 + 80 * TP_MAX_SHAPES, "shared with src/xdp");

/* What the programs for any policy go by instead: the port's part of it, in memory that the control
 * thread writes while no frame meets this instance. So an instance is verified once, and takes one
 * policy after the other. */
struct tp_live {
  __u32 n_shapes;    /* as in tp_plan, */
  __u32 fallback;    /* this, */
  __u32 looks;       /* and this */
  __u32 bucket_mask; /* as in tp_constants */
  __u32 timed;       /* a rule's condition asks for the time */
  __u32 only_rule;   /* whose streams on this port are tp_xdp_queue.only, or TP_NO_RULE */
  __u32 padding[2];
  struct tp_shape shapes[TP_MAX_SHAPES];
};
TP_STATIC_ASSERT(sizeof(struct tp_live) == 32 + 80 * TP_MAX_SHAPES, "shared with src/xdp");

/* One queue. Written by the CPU that serves it, read by anyone. Where the policy looks at no
 * header, its one stream is here and not in the map of streams, so that it is found without a
 * lookup; and here it stays when another policy goes on with it. */
struct tp_xdp_queue {
  struct tp_queue_counters counters;
  struct tp_state only; /* the stream of rule `fallback` of a port without shapes */
  __u32 cpu;            /* 1 + the CPU that last served it; 0: none yet */
  __u32 padding[15];
};
TP_STATIC_ASSERT(sizeof(struct tp_xdp_queue) == 512, "shared with src/xdp");

#endif /* TWINPATH_BPF_LAYOUT_H_ */
