// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * The XDP datapath: decides every frame that a port receives, with src/policy. This file owns the
 * entry points, and converts verdicts to XDP actions. It runs on the CPU that serves the RX queue.
 * A program finds its port and a few traits of its policy in tp_constants; the policy itself is in
 * tp_port_plan and the tables.
 *
 * There is one body and twenty entry points. A port runs the cheapest entry point that can decide
 * its policy. Entry points differ by tier (blind, tuple, headers, general: see tp_tier; tuple reads
 * only a few words of the key), by whether they finish checksums before they send (checksum.h), and
 * by the kind of frames:
 * - plain: frames in one piece, a queue served by one CPU at a time (native mode);
 * - frags: frames in several pieces (native mode with a large MTU); a helper returns the length;
 * - shared: frames in one piece, a queue served by several CPUs at once (generic mode). These need
 *   no finishing, because the kernel keeps track of unfinished checksums in its sk_buffs.
 */
#include <linux/pkt_cls.h>

#define TP_DATAPATH "bpf/supply.bpf.h"
#include "src/policy/pipeline.h"

#include "bpf/checksum.bpf.h"

/* tp_probe for policies without conditions. */
#define TP_DEFINE_PROBE(name, key_words)                                           \
  __attribute__((noinline)) __u32 name(const struct tp_key* key, __u32 i) {        \
    struct tp_datapath dp = {.constants = tp_get_constants(), .words = key_words}; \
    if (!key) return TP_NO_RULE;                                                   \
    return tp_lookup_shape(&dp, key, TP_ROW(&dp, shapes, i));                      \
  }
TP_DEFINE_PROBE(tp_probe_tuple, TP_TUPLE_WORDS)
TP_DEFINE_PROBE(tp_probe_headers, TP_ALL_WORDS)

/* Leaves a frame to tp_send_long. Returns 0 if there is no room for the metadata. */
TP_INLINE int leave_long(struct xdp_md* ctx, __u32 record, __u8 out_port) {
  if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(struct tp_long_frame))) return 0;
  struct tp_long_frame* note = (struct tp_long_frame*)(long)ctx->data_meta;
  if ((void*)(note + 1) > (void*)(long)ctx->data) return 0; /* impossible */
  note->mark = TP_LONG_FRAME;
  note->record = record;
  note->out_port = out_port;
  return 1;
}

/* Sends a frame by another port, and counts it. Drops frames that are too long, or whose interface
 * is down: otherwise the kernel would drop them after this program, without counting them. */
TP_INLINE int redirect(struct xdp_md* ctx, struct tp_queue_counters* counters, __u32 record,
                       __u8 port, __u8 out_port, __u32 bytes, int shared) {
  const struct tp_out_port* out = &tp_outs[out_port & (TP_MAX_PORTS - 1)];
  if (TP_UNLIKELY(bytes > out->longest)) {
    if (out->longest) {
      if (shared && tp_long_frames[port & (TP_MAX_PORTS - 1)] && leave_long(ctx, record, out_port))
        return XDP_PASS;
      tp_count_add_shared(&tp_too_long[out_port & (TP_MAX_PORTS - 1)], 1, bytes);
    }
    tp_count_packet(&counters->verdict[TP_TX_FULL], bytes, shared);
    return XDP_DROP;
  }
  /* Keeps values on the stack that are needed after the call. In registers, every program would
   * have to save those registers, even a program that sends nothing. */
  struct tp_queue_counters* volatile kept_counters = counters;
  volatile __u64 kept_bytes = bytes;
  volatile __u64 kept_port = out_port & (TP_MAX_PORTS - 1);
  int action = (int)bpf_redirect_map(&tp_out_ports, out_port, XDP_DROP);
  counters = kept_counters;
  struct tp_count* count = &counters->verdict[TP_NO_PORT];
  if (action == XDP_REDIRECT) count = &counters->tx[kept_port & (TP_MAX_PORTS - 1)];
  tp_count_packet(count, (__u32)kept_bytes, shared);
  return action;
}

/*
 * Serves one frame. All parameters except `ctx` are constants. `drawing` is this function again as
 * a subprogram, or 0. The subprogram serves streams in the map, and the first packet of a block,
 * which draws the fates of the whole block. It is a subprogram because a program without calls
 * saves no registers, and saving them is much of the cost of the other 63 packets.
 */
TP_INLINE int serve(struct xdp_md* ctx, __u32 words, int general, int frags, int shared,
                    int completes, int (*drawing)(struct xdp_md*)) {
  const struct tp_constants* constants = tp_get_constants();
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  __u32 bytes = frags ? (__u32)bpf_xdp_get_buff_len(ctx) : (__u32)(end - data);
  __u32 index = ctx->rx_queue_index;
  if (TP_UNLIKELY(index >= constants->n_queues)) {
    tp_count_add_shared(&tp_strays[constants->port & (TP_MAX_PORTS - 1)], 1, bytes);
    return XDP_DROP;
  }
  /* The verifier knows the bounds of both. */
  struct tp_xdp_queue* queue = &tp_queues[index + constants->first_record];
  TP_OPAQUE(queue); /* otherwise the compiler computes the address at every use */
  struct tp_queue_counters* counters = &queue->counters;
  const __u8 port = (__u8)constants->port;
  struct tp_datapath dp = {.constants = constants,
                           .ctx = ctx,
                           .queue_index = index + constants->first_queue,
                           .words = words,
                           .may_draw = !drawing,
                           .general = general,
                           .data = data,
                           .end = end,
                           .port = port};
  struct tp_state* blind_stream = 0;
  if (!words) {
    if (constants->traits.blind_record != TP_NO_RECORD) {
      blind_stream = &tp_queues[index + constants->traits.blind_record].stream;
      TP_OPAQUE(blind_stream); /* so that the address is computed only once */
    } else {
      if (drawing) return drawing(ctx);
      blind_stream = tp_mapped_stream(&dp, constants->traits.blind.slot);
      if (!blind_stream) return XDP_DROP;
    }
  }
  __u64 n = words ? counters->rx.packets : blind_stream->n;
  if (TP_UNLIKELY((n & 63) == 0)) {
    if (drawing) return drawing(ctx);
    queue->cpu = bpf_get_smp_processor_id() + 1; /* once per block is enough */
  }
  if (words) tp_count_packet(&counters->rx, bytes, shared);

  if (general && tp_port_plan.timed)
    dp.now = constants->clock_given ? tp_clock : bpf_ktime_get_coarse_ns();
  const __u32 n_shapes = constants->traits.one_shape ? 1 : tp_port_plan.n_shapes;
  const __u32 fallback = tp_port_plan.fallback;
  const struct tp_effects effects =
      general ? tp_decide_general(&dp, bytes, n_shapes, fallback, shared)
      : words ? tp_decide(&dp, bytes, n_shapes, fallback, shared)
              : tp_decide_stream(&dp, blind_stream, fallback, bytes, shared);
  const int forwarded = effects.fate == TP_FATE_FORWARD;
  const int sent = forwarded && effects.to != TP_TO_KERNEL;
  if (completes && sent) {
    const __u64 found = frags ? tp_unfinished_frags(ctx) : tp_unfinished_plain(ctx);
    if (found && (frags ? tp_complete_frags(ctx, found) : tp_complete_plain(ctx, found))) {
      struct tp_queue_extras* extras = tp_extras(&dp);
      if (extras) __sync_fetch_and_add(&extras->checksums_completed, 1);
    }
  }
  if (sent && (effects.to != port || constants->no_xdp_tx))
    return redirect(ctx, counters, index + constants->first_record, port, effects.to, bytes,
                    shared);
  tp_count_packet(tp_effects_count(counters, effects, TP_DELIVERED), bytes, shared);
  if (sent) return XDP_TX;
  return forwarded ? XDP_PASS : XDP_DROP;
}

/* The entry points, by tier and by the kind of frames. */
#define TP_ENTRY(name, words, general, frags, shared, completes) \
  SEC("xdp")                                                     \
  int name(struct xdp_md* ctx) { return serve(ctx, words, general, frags, shared, completes, 0); }
#define TP_COMPLETING_ENTRIES(tier, words, general)               \
  TP_ENTRY(tp_##tier##_plain_completing, words, general, 0, 0, 1) \
  TP_ENTRY(tp_##tier##_frags_completing, words, general, 1, 0, 1)
#define TP_ENTRIES(tier, words, general)                \
  TP_ENTRY(tp_##tier##_plain, words, general, 0, 0, 0)  \
  TP_ENTRY(tp_##tier##_frags, words, general, 1, 0, 0)  \
  TP_ENTRY(tp_##tier##_shared, words, general, 0, 1, 0) \
  TP_COMPLETING_ENTRIES(tier, words, general)

#define TP_BLIND_ENTRY(name, frags)                                  \
  __attribute__((noinline)) int name##_drawing(struct xdp_md* ctx) { \
    return serve(ctx, 0, 0, frags, 0, 0, 0);                         \
  }                                                                  \
  SEC("xdp")                                                         \
  int name(struct xdp_md* ctx) { return serve(ctx, 0, 0, frags, 0, 0, name##_drawing); }

TP_BLIND_ENTRY(tp_blind_plain, 0)
TP_BLIND_ENTRY(tp_blind_frags, 1)
TP_ENTRY(tp_blind_shared, 0, 0, 0, 1, 0)
TP_COMPLETING_ENTRIES(blind, 0, 0)
TP_ENTRIES(tuple, TP_TUPLE_WORDS, 0)
TP_ENTRIES(headers, TP_ALL_WORDS, 0)
TP_ENTRIES(general, TP_ALL_WORDS, 1)

/* Whether the packets into which the kernel will cut the segments are longer than the MTU of
 * `interface`. The kernel does not compare when it cuts them. */
TP_INLINE int packets_too_long(struct __sk_buff* skb, __u32 interface) {
  __u32 whole = 0;
  return bpf_check_mtu(skb, interface, &whole, 0, BPF_MTU_CHK_SEGS) == BPF_MTU_CHK_RET_SEGS_TOOBIG;
}

/*
 * In generic mode a sender's segments may arrive before they are cut to the MTU: one buffer of up
 * to 64 KiB for many TCP packets. Any device can send such a buffer, because the kernel or the
 * device cuts it, but XDP does not redirect it. The XDP program therefore leaves it to this tc
 * program at the ingress of the same interface, which sends and counts the frame, unless its
 * packets are longer than the out port's MTU. The decision has already been made.
 */
SEC("tc")
int tp_send_long(struct __sk_buff* skb) {
  const struct tp_long_frame* note = (const struct tp_long_frame*)(long)skb->data_meta;
  if ((const void*)(note + 1) > (const void*)(long)skb->data || note->mark != TP_LONG_FRAME)
    return TC_ACT_UNSPEC; /* a frame that passes to the kernel */
  const __u32 record = note->record & (TP_GENERATIONS * TP_MAX_XDP_QUEUES - 1);
  const __u32 out_port = note->out_port & (TP_MAX_PORTS - 1);
  struct tp_queue_counters* counters = &tp_queues[record].counters;
  const __u32 interface = tp_outs[out_port].interface;
  if (skb->gso_size && !packets_too_long(skb, interface)) {
    tp_count_add_shared(&counters->tx[out_port], 1, skb->len);
    return (int)bpf_redirect(interface, 0);
  }
  tp_count_add_shared(&tp_too_long[out_port], 1, skb->len);
  tp_count_add_shared(&counters->verdict[TP_TX_FULL], 1, skb->len);
  return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
