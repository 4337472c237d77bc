// SPDX-License-Identifier: BSD-3-Clause
/*
 * Programs that the XDP program is compared with: one that only drops, and one that drops at random
 * and reports every packet by two perf events, before and after its decision, as dilih does. Also a
 * program that gives every packet another flow.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/two_events.bpf.h"

SEC("xdp")
int bare_drop(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_DROP;
}

SEC("xdp")
int two_events(struct xdp_md* ctx) { return drop_half(ctx) ? XDP_DROP : XDP_PASS; }

/* The program under test. One slot and a constant index: the call becomes a jump. */
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} under_test SEC(".maps");

/* Below 2^24. `flow_step` is below `flows` and has no divisor in common with it. */
__u32 flows = 1, flow_step = 0, flow = 0;

/* Writes the next flow's addresses into an IPv4 frame, by one store of the width that a parser
 * loads, and calls the program under test. */
SEC("xdp")
int in_turn(struct xdp_md* ctx) {
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  if (data + 34 > end) return XDP_ABORTED;
  __u32 next = flow + flow_step;
  if (next >= flows) next -= flows;
  flow = next;
  *(__u64*)(data + 26) = bpf_cpu_to_be64((0x0a000000ULL + next) << 32 | 0x0a010000);
  bpf_tail_call(ctx, &under_test, 0);
  return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
