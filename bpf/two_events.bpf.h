/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What dilih does with a packet, rebuilt from its description: it drops half of the packets at
 * random, and reports each by two perf events. For programs to compare with.
 */
#ifndef TWINPATH_BPF_TWO_EVENTS_BPF_H_
#define TWINPATH_BPF_TWO_EVENTS_BPF_H_

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct event {
  __u64 time; /* ns: when the packet came; in the second event, how long its decision took */
  __u32 length, dropped;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} events SEC(".maps");

/* Returns whether the packet is to be dropped. */
static inline __attribute__((always_inline)) __u32 drop_half(struct xdp_md* ctx) {
  struct event event = {bpf_ktime_get_ns(), (__u32)(ctx->data_end - ctx->data), 0};
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
  event.dropped = bpf_get_prandom_u32() & 1;
  event.time = bpf_ktime_get_ns() - event.time;
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
  return event.dropped;
}

#endif /* TWINPATH_BPF_TWO_EVENTS_BPF_H_ */
