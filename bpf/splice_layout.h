/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The state of a flow, which the splicing program and src/splice share. A flow is one direction of
 * a spliced connection: flow f takes the bytes that the socket in slot f receives to the socket in
 * slot f ^ 1, its sink. The flows are an array map that user space maps into its memory.
 *
 * In the comments below, "program" is the BPF program, and "user" is the worker's thread.
 */
#ifndef TWINPATH_BPF_SPLICE_LAYOUT_H_
#define TWINPATH_BPF_SPLICE_LAYOUT_H_

#include "src/policy/types.h"

/* Flag in tp_splice_flow.state, above the number of passed bytes: the program redirects segments.
 * Without the flag it passes them to user space. */
#define TP_SPLICE_REDIRECT (1ULL << 63)

/* Values of tp_splice_flow.error. UNREADABLE: this kernel does not keep a segment's sequence
 * numbers where the program looks for them. UNCUT: the kernel had no memory to cut a segment. */
#define TP_SPLICE_UNREADABLE 1
#define TP_SPLICE_UNCUT 2

/* Flag in tp_splice_flow.next_seq, above the number: the program has seen a byte of the flow, so
 * the number is valid. */
#define TP_SPLICE_KNOWN (1ULL << 63)

/*
 * Bytes that a redirected segment is charged in addition to its payload: an upper bound of its
 * sk_buff and the unused part of its page, which even the shortest segment occupies.
 */
#define TP_SPLICE_SKB_COST 1024U

struct tp_splice_flow {
  /* The number of bytes passed to user space, and TP_SPLICE_REDIRECT. Both sides change it by
   * compare-and-swap. The program clears the flag. User space sets it when it has read all passed
   * bytes. */
  __u64 state;
  __u64 redirected; /* program: rw, user: ro. Bytes handed to the sink's queue. */
  /* program: rw, user: ro. `redirected` plus TP_SPLICE_SKB_COST for each segment. */
  __u64 charge;
  __u64 charge_limit;   /* user: rw, program: ro. The program passes segments beyond this charge. */
  __u64 redirect_limit; /* user: rw, program: ro. The program passes bytes beyond this number. */
  /* User space sets it. When the charge reaches it, the program raises an event and writes ~0. */
  __u64 charge_notify;
  /* program: rw. If TP_SPLICE_KNOWN is set, the low 32 bits are the TCP sequence number after the
   * last byte that the program has seen. */
  __u64 next_seq;
  __u64 error; /* program: rw, user: ro. 0, or why the program drops the rest of the flow. */
};
TP_STATIC_ASSERT(sizeof(struct tp_splice_flow) == 64, "one cache line per flow");

#endif /* TWINPATH_BPF_SPLICE_LAYOUT_H_ */
