// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * TCP splicing: hands what one socket of a pair receives to the other's send queue. Owns the maps
 * and the verdict program, which runs whenever a socket of the sockmap has received a segment, with
 * that socket locked, so one instance at a time for a flow. One set of maps a worker.
 *
 * The kernel bounds nothing on the way from a redirect to the sink's send queue: the source's
 * receive window opens at once, and segments pile up in the sink's psock. So a flow has a limit.
 * Beyond it segments are passed, which leaves them charged to the source's receive buffer until
 * user space reads them, and the sender is held by its window, as without a splicer.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/splice_layout.h"

/* Slots 2n and 2n + 1 are the two sockets of a connection. User space sets the sizes. */
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u64);
} tp_sockets SEC(".maps");

/* A socket's cookie -> its slot. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 2);
  __type(key, __u64);
  __type(value, __u32);
} tp_slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct tp_splice_flow);
} tp_flows SEC(".maps");

/* Slots of flows that need user space. At most three a flow are outstanding: it never overflows. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} tp_events SEC(".maps");

/*
 * TCP queues a segment whole although its first octets came before, as where a sender joins what it
 * sends again with what is new, and leaves it to the reader to skip them; a sockmap does not. So
 * they are cut off here. Returns the octets that are new.
 *
 * TCP keeps the segment's first sequence number and the one behind its last (with the FIN's) where
 * a program sees cb[0] and cb[1]; whether it does on this kernel is told by the length. Flows begin
 * with an octet that nothing came before.
 *
 * Returns 0, and says in `broken` why, where a segment can be neither read so nor cut: it must not
 * go on.
 */
#define TP_CUT_MOST 4095 /* octets bpf_skb_adjust_room takes at once */
#define TP_CUT_TURNS 128 /* half a MB: about what joined segments can have */

/*
 * Returns what is left of `old`: 0, if all was cut. A function of its own to the verifier, and no
 * loop: without CAP_PERFMON, it would follow the turns that are only speculated without a bound.
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

static __always_inline __u32 tp_splice_new(struct __sk_buff* skb, struct tp_splice_flow* flow) {
  __u32 length = skb->len;
  __u32 first = skb->cb[0];
  __u32 old = flow->next & TP_SPLICE_KNOWN ? (__u32)flow->next - first : 0;
  if (skb->cb[1] - first - length > 1) {
    flow->broken = TP_SPLICE_UNREADABLE;
    return 0;
  }
  if ((__s32)old <= 0) {
    flow->next = TP_SPLICE_KNOWN | (first + length);
    return length;
  }
  /* All of it came before, and only the FIN is new. Nothing else that is old is queued. */
  if (old >= length) {
    if (old != length || skb->cb[1] - first == length) flow->broken = TP_SPLICE_UNREADABLE;
    old = length;
  } else {
    flow->next = TP_SPLICE_KNOWN | (first + length);
  }
  if (tp_splice_cut(skb, old)) {
    flow->broken = TP_SPLICE_UNCUT;
    return 0;
  }
  return length - old;
}

SEC("sk_skb/stream_verdict")
int tp_splice_verdict(struct __sk_buff* skb) {
  __u64 cookie = bpf_get_socket_cookie(skb);
  /* A FIN alone: TCP has seen it already, and a redirect of no octets breaks the sink's psock. */
  if (!skb->len) return SK_DROP;
  __u32* slot = bpf_map_lookup_elem(&tp_slots, &cookie);
  if (!slot) return SK_PASS;
  struct tp_splice_flow* flow = bpf_map_lookup_elem(&tp_flows, slot);
  if (!flow) return SK_PASS;
  if (flow->broken) return SK_DROP;
  __u32 length = tp_splice_new(skb, flow);
  if (!length) {
    if (flow->broken) bpf_ringbuf_output(&tp_events, slot, sizeof(*slot), 0);
    return SK_DROP;
  }
  __u64 state = flow->state;
  /* Twice at most: while it passes, user space may start the redirect once, and nobody else does.
   */
  for (int turn = 0; turn < 2; turn++) {
    __u64 charge = flow->charge + length + TP_SPLICE_SKB_COST;
    if ((state & TP_SPLICE_REDIRECT) && charge <= flow->limit &&
        flow->redirected + length <= flow->octets) {
      flow->redirected += length;
      flow->charge = charge;
      if (charge >= flow->notify) {
        flow->notify = ~0ULL;
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
