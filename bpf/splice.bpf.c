// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * TCP splicing: moves the segments that one socket of a pair receives to the other socket's send
 * queue. This file owns the maps and the verdict program. The kernel runs the program for each
 * segment that a socket of the sockmap receives, and holds that socket's lock meanwhile, so one
 * instance at a time serves a flow. Each worker thread has its own set of maps.
 *
 * The kernel does not limit the bytes between a redirect and the sink's send queue. The source's
 * receive window opens again at once, and segments pile up in the sink's psock. The program
 * therefore has a limit for each flow, and passes the segments beyond it to user space. A passed
 * segment stays charged to the source's receive buffer until user space reads it, so the receive
 * window stops the sender, as it does without a splicer.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/splice_layout.h"

/* User space sets the sizes of all maps. Slots 2n and 2n + 1 hold the two sockets of a connection.
 */
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u64);
} tp_sockets SEC(".maps");

/* The slot of a socket, by its cookie. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 2);
  __type(key, __u64);
  __type(value, __u32);
} tp_slots SEC(".maps");

/* By slot: the state of the flow that this socket receives. User space maps it into its memory. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct tp_splice_flow);
} tp_flows SEC(".maps");

/* Slots of the flows that need user space. It never overflows, because a flow has at most three
 * entries at a time. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} tp_events SEC(".maps");

#define TP_CUT_MOST 4095 /* bytes that one bpf_skb_adjust_room can remove */
#define TP_CUT_TURNS 128 /* enough for 0.5 MiB, about the longest joined segments */

/*
 * Removes `old` bytes from the front of a segment. Returns how many of them remain: 0 on success.
 * This is a function of its own so that the verifier checks it only once. It is unrolled because
 * without CAP_PERFMON the verifier also follows speculative paths, and finds no bound for a loop.
 */
__attribute__((noinline)) __u32 tp_splice_cut(struct __sk_buff* skb, __u32 old) {
#pragma unroll
  for (int turn = 0; turn < TP_CUT_TURNS; turn++) {
    if (old <= TP_CUT_MOST) return bpf_skb_adjust_room(skb, -(__s32)old, 0, 0) ? old : 0;
    if (bpf_skb_adjust_room(skb, -TP_CUT_MOST, 0, 0)) break;
    old -= TP_CUT_MOST;
  }
  return old;
}

/*
 * Cuts off the bytes of a segment that the flow has already received. Returns the number of new
 * bytes.
 *
 * TCP queues a whole segment even if its first bytes are not new. This happens when a sender joins
 * a retransmission with new data. A reader of the socket skips the old bytes; a sockmap does not.
 *
 * TCP keeps the sequence number of a segment's first byte in cb[0], and the number after its last
 * byte (counting the FIN) in cb[1]. The segment's length shows whether the running kernel does so.
 * The first byte of each flow is always new.
 *
 * Returns 0 if only the FIN is new. Returns 0 and sets flow->error if the segment has no readable
 * sequence numbers or cannot be cut. The caller must not forward the segment in either case.
 */
static __always_inline __u32 tp_splice_cut_old(struct __sk_buff* skb, struct tp_splice_flow* flow) {
  __u32 length = skb->len;
  __u32 first = skb->cb[0];
  __u32 old = flow->next_seq & TP_SPLICE_KNOWN ? (__u32)flow->next_seq - first : 0;
  if (skb->cb[1] - first - length > 1) {
    flow->error = TP_SPLICE_UNREADABLE;
    return 0;
  }
  if ((__s32)old <= 0) {
    flow->next_seq = TP_SPLICE_KNOWN | (first + length);
    return length;
  }
  /* The whole segment is old. TCP queues such a segment only if its FIN is new. */
  if (old >= length) {
    if (old != length || skb->cb[1] - first == length) flow->error = TP_SPLICE_UNREADABLE;
    old = length;
  } else {
    flow->next_seq = TP_SPLICE_KNOWN | (first + length);
  }
  if (tp_splice_cut(skb, old)) {
    flow->error = TP_SPLICE_UNCUT;
    return 0;
  }
  return length - old;
}

SEC("sk_skb/stream_verdict")
int tp_splice_verdict(struct __sk_buff* skb) {
  __u64 cookie = bpf_get_socket_cookie(skb);
  /* A FIN without data. TCP has processed it, and a redirect of 0 bytes breaks the sink's psock. */
  if (!skb->len) return SK_DROP;
  __u32* slot = bpf_map_lookup_elem(&tp_slots, &cookie);
  if (!slot) return SK_PASS;
  struct tp_splice_flow* flow = bpf_map_lookup_elem(&tp_flows, slot);
  if (!flow) return SK_PASS;
  if (flow->error) return SK_DROP;
  __u32 length = tp_splice_cut_old(skb, flow);
  if (!length) {
    if (flow->error) bpf_ringbuf_output(&tp_events, slot, sizeof(*slot), 0);
    return SK_DROP;
  }
  __u64 state = flow->state;
  /* Two turns are enough, because user space sets the flag at most once while the flow passes. */
  for (int turn = 0; turn < 2; turn++) {
    __u64 charge = flow->charge + length + TP_SPLICE_SKB_COST;
    if ((state & TP_SPLICE_REDIRECT) && charge <= flow->charge_limit &&
        flow->redirected + length <= flow->redirect_limit) {
      flow->redirected += length;
      flow->charge = charge;
      if (charge >= flow->charge_notify) {
        flow->charge_notify = ~0ULL;
        bpf_ringbuf_output(&tp_events, slot, sizeof(*slot), 0);
      }
      return (int)bpf_sk_redirect_map(skb, &tp_sockets, *slot ^ 1, 0);
    }
    __u64 next = (state & ~TP_SPLICE_REDIRECT) + length;
    __u64 found = __sync_val_compare_and_swap(&flow->state, state, next);
    if (found == state) {
      if (state & TP_SPLICE_REDIRECT) bpf_ringbuf_output(&tp_events, slot, sizeof(*slot), 0);
      return SK_PASS;
    }
    state = found;
  }
  return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
