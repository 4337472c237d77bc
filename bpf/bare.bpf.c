// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * Programs without a policy, for twinpath compare: a receiver that only counts (the interface's own
 * counters do), one that leaves frames to the stack, the least that an XDP datapath can do (a wire,
 * and a program that sends every frame back), and a wire that works as dilih does: it drops half of
 * the packets at random and reports each packet by two perf events.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/two_events.bpf.h"

/* Set before loading. */
const volatile __u32 out_interface = 0;

SEC("xdp")
int bare_drop(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_DROP;
}

SEC("xdp")
int bare_pass(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_PASS;
}

SEC("xdp")
int bare_redirect(struct xdp_md* ctx) {
  (void)ctx;
  return (int)bpf_redirect(out_interface, 0);
}

SEC("xdp")
int bare_reflect(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_TX;
}

/* Packets that bare_two_events dropped. program: rw, user: ro */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} bare_dropped SEC(".maps");

SEC("xdp")
int bare_two_events(struct xdp_md* ctx) {
  const __u32 first = 0;
  __u64* dropped = bpf_map_lookup_elem(&bare_dropped, &first);
  if (!dropped) return XDP_ABORTED;
  if (!drop_half(ctx)) return (int)bpf_redirect(out_interface, 0);
  (*dropped)++;
  return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
