// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the XDP program is measured beside: a program that only drops, and one that drops at random
 * and reports every packet by two perf events, one before and one after its decision, as dilih
 * does.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
  __u64 time; /* ns */
  __u32 length, dropped;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} events SEC(".maps");

SEC("xdp")
int bare_drop(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_DROP;
}

SEC("xdp")
int two_events(struct xdp_md* ctx) {
  struct event event = {bpf_ktime_get_ns(), ctx->data_end - ctx->data, 0};
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
  event.dropped = bpf_get_prandom_u32() & 1;
  event.time = bpf_ktime_get_ns() - event.time;
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
  return event.dropped ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
