// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * Programs without a policy, for twinpath compare: a receiver that only counts (the interface's own
 * counters do), one that leaves frames to the stack, and a wire, which is the least that an XDP
 * datapath can do.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
