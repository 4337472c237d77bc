/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the splicing program and src/splice share: the state of a flow, which is one direction of a
 * spliced connection. Flows lie in an array map that user space maps into its memory. Flow f
 * carries what the socket in slot f receives; its sink is the socket in slot f ^ 1.
 *
 * In the comments below, "program" is the BPF program and "user" is the worker's thread.
 */
#ifndef TWINPATH_BPF_SPLICE_LAYOUT_H_
#define TWINPATH_BPF_SPLICE_LAYOUT_H_

#include "src/policy/types.h"

/* Flag in tp_splice_flow.state, above the number of bytes passed: the program redirects. */
#define TP_SPLICE_REDIRECT (1ULL << 63)

/* Values of tp_splice_flow.error. UNREADABLE: this kernel does not keep a segment's sequence
 * numbers where the program reads them. UNCUT: the kernel had no memory to cut a segment. */
#define TP_SPLICE_UNREADABLE 1
#define TP_SPLICE_UNCUT 2

/* Flag in tp_splice_flow.next_seq: the program has seen a byte, so the number below is valid. */
#define TP_SPLICE_KNOWN (1ULL << 63)

/*
 * Bytes charged for each segment in addition to its payload. However short it is, a redirected
 * segment occupies an sk_buff and the rest of its page. An upper bound.
 */
#define TP_SPLICE_SKB_COST 1024U

struct tp_splice_flow {
  /* Bytes passed to user space, and TP_SPLICE_REDIRECT. Both sides change it by compare-and-swap:
   * the program clears the flag, and user space sets it once it has read everything passed. */
  __u64 state;
  __u64 redirected;     /* program: rw, user: ro. Bytes handed to the sink's queue. */
  __u64 charge;         /* program: rw, user: ro. `redirected` plus TP_SPLICE_SKB_COST a segment. */
  __u64 charge_limit;   /* user: rw, program: ro. Beyond this charge, segments are passed. */
  __u64 redirect_limit; /* user: rw, program: ro. Beyond these bytes, segments are passed. */
  /* User space sets it. The program raises an event at this charge and resets it to ~0. */
  __u64 charge_notify;
  /* program: rw. With TP_SPLICE_KNOWN: the low 32 bits are the TCP sequence number after the last
   * byte that the program has seen. */
  __u64 next_seq;
  __u64 error; /* program: rw, user: ro. TP_SPLICE_UNREADABLE or UNCUT: forwards nothing more. */
};
TP_STATIC_ASSERT(sizeof(struct tp_splice_flow) == 64, "one cache line per flow");

#endif /* TWINPATH_BPF_SPLICE_LAYOUT_H_ */
