/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the splicing program and src/splice share: the state of a flow, one direction of a spliced
 * connection. It lies in an array map that user space maps into its memory; flow f is what the
 * socket in slot f receives, and its sink is the socket in slot f ^ 1.
 */
#ifndef TWINPATH_BPF_SPLICE_LAYOUT_H_
#define TWINPATH_BPF_SPLICE_LAYOUT_H_

#include "src/policy/types.h"

/* In tp_splice_flow.state, above the octets passed: the kernel redirects. */
#define TP_SPLICE_REDIRECT (1ULL << 63)

/* Why a flow is broken: the kernel does not tell a segment's sequence numbers where they are looked
 * for, or had no memory to cut one. */
#define TP_SPLICE_UNREADABLE 1
#define TP_SPLICE_UNCUT 2

/* In tp_splice_flow.next: an octet was shown. */
#define TP_SPLICE_KNOWN (1ULL << 63)

/*
 * What a queued skb costs beyond its octets, at most: a redirected segment holds its sk_buff and
 * the rest of its page however short it is, so a flow is charged for it.
 */
#define TP_SPLICE_SKB_COST 1024U

struct tp_splice_flow {
  /* Octets passed to user space, and whether octets are redirected. Program and user space change
   * it by compare-and-swap: the program from redirecting to passing, user space, once it has read
   * all that was passed, back. */
  __u64 state;
  __u64 redirected; /* program: rw, user: ro. Octets handed to the sink's queue. */
  __u64 charge;     /* program: rw, user: ro. The same, with TP_SPLICE_SKB_COST a segment. */
  __u64 limit;      /* user: rw, program: ro. Beyond this charge octets are passed. */
  __u64 octets;     /* user: rw, program: ro. Beyond so many octets redirected they are passed. */
  __u64 notify;     /* user arms it, the program disarms it: user space is told at this charge. */
  /* program: rw. The low half: the TCP sequence number behind the last octet that it was shown,
   * where TP_SPLICE_KNOWN is set. */
  __u64 next;
  __u64 broken; /* program: rw, user: ro. Not 0: nothing is handed on any more. */
};
TP_STATIC_ASSERT(sizeof(struct tp_splice_flow) == 64, "one cache line a flow");

#endif /* TWINPATH_BPF_SPLICE_LAYOUT_H_ */
