/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Sends the frames of `twinpath generate` out of an interface. Runs in BPF_PROG_TEST_RUN's live
 * frames mode, from one thread. The kernel uses the same pages for many frames, and a receiver on
 * this machine may have changed them: so each frame's start is written as a whole.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/traffic.h"

/* Set before loading, so that the verifier removes what a plan does not need. */
const volatile struct tp_traffic traffic = {};
const volatile __u32 out_interface = 0;

/* The number of the next frame. */
__u64 next_number = 0;

/* The alias table of TP_SPREAD_ZIPF. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1); /* changed before loading */
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct tp_traffic_alias);
} tp_cells SEC(".maps");

SEC("xdp")
int tp_generate(struct xdp_md* ctx) {
  const struct tp_traffic* plan = (const struct tp_traffic*)&traffic;
  TP_OPAQUE(plan); /* its values here are not those of the run */
  const __u64 n = next_number++;
  const __u32 size = tp_traffic_size(plan, n);
  if (plan->sizes != 1) { /* the frame has the length of the longest one */
    const __u32 length = ctx->data_end - ctx->data;
    if (size < length && bpf_xdp_adjust_tail(ctx, (int)(size - length))) return XDP_ABORTED;
  }
  __u32 flow = tp_traffic_flow(plan, n);
  if (plan->spread == TP_SPREAD_ZIPF) {
    const struct tp_traffic_alias* cell = bpf_map_lookup_elem(&tp_cells, &flow);
    if (!cell) return XDP_ABORTED;
    flow = tp_traffic_cell(plan, n, flow, cell);
  }
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  if (!tp_traffic_write(plan, flow, size, n, bpf_ktime_get_ns(), data, end)) return XDP_ABORTED;
  return (int)bpf_redirect(out_interface, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
