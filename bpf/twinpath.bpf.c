// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * The XDP datapath: the decision of src/policy on every frame that a port receives. Owns the entry
 * points and the way from a verdict to an XDP action. Runs on the CPU that serves the RX queue; one
 * instance a port, told apart by tp_constants. Those that a reload brings are the ones for any
 * policy.
 *
 * There is one body and twelve entry points, of which a port loads the one that does no more than
 * its policy and its interface ask for: how much of the headers the policy looks at (nothing, few
 * words of the key, all), or that its rules may ask for anything; and how the frames come:
 * - plain: in one piece, a queue served by one CPU at a time (native mode);
 * - frags: in several pieces (native mode with a large MTU), so that a helper tells the length;
 * - shared: in one piece, a queue served by several CPUs at once (generic mode).
 */
#define TP_DATAPATH "bpf/supply.bpf.h"
#include "src/policy/pipeline.h"

/* tp_probe for where no rule has a condition. */
#define TP_DEFINE_PROBE(name, key_words)                                           \
  __attribute__((noinline)) __u32 name(const struct tp_key* key, __u32 i) {        \
    struct tp_datapath dp = {.constants = tp_get_constants(), .words = key_words}; \
    if (!key) return TP_NO_RULE;                                                   \
    return tp_lookup_shape(&dp, key, TP_ROW(&dp, shapes, i));                      \
  }
TP_DEFINE_PROBE(tp_probe_tuple, TP_TUPLE_WORDS)
TP_DEFINE_PROBE(tp_probe_headers, TP_ALL_WORDS)

/* Adds one frame to a counter. */
TP_INLINE void count_frame(struct tp_count* count, __u32 bytes, int shared) {
  if (shared)
    tp_count_add_shared(count, 1, bytes);
  else
    tp_count_add(count, 1, bytes);
}

/* Sends a frame out of another port, and counts it. */
TP_INLINE int redirect(struct tp_queue_counters* counters, __u8 out_port, __u32 bytes, int shared) {
  /* What is needed behind the call waits on the stack: in registers, it would have every program
   * save registers, also those that send nothing anywhere. */
  struct tp_queue_counters* volatile kept_counters = counters;
  volatile __u64 kept_bytes = bytes;
  volatile __u64 kept_port = out_port & (TP_MAX_PORTS - 1);
  int action = (int)bpf_redirect_map(&tp_out_ports, out_port, XDP_DROP);
  counters = kept_counters;
  struct tp_count* count = &counters->verdict[TP_NO_PORT];
  if (action == XDP_REDIRECT) count = &counters->tx[kept_port & (TP_MAX_PORTS - 1)];
  count_frame(count, (__u32)kept_bytes, shared);
  return action;
}

/*
 * The whole way of one frame; all but `ctx` are constants. `drawing`, where there is one, is this
 * function again, for the first packet of a block, which draws the fates of the whole block: apart,
 * because a program that calls nothing saves no registers, and that is a good part of what the
 * other 63 packets cost.
 */
TP_INLINE int serve(struct xdp_md* ctx, __u32 words, int any, int frags, int shared,
                    int (*drawing)(struct xdp_md*)) {
  const struct tp_constants* constants = tp_get_constants();
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  __u32 bytes = frags ? (__u32)bpf_xdp_get_buff_len(ctx) : (__u32)(end - data);
  __u32 index = ctx->rx_queue_index;
  if (TP_UNLIKELY(index >= constants->n_queues)) {
    tp_count_add_shared(&tp_strays[constants->port & (TP_MAX_PORTS - 1)], 1, bytes);
    return XDP_DROP;
  }
  index += constants->first_queue; /* the verifier knows both */
  struct tp_xdp_queue* queue = any ? &tp_live_queues[index] : &tp_queues[index];
  TP_OPAQUE(queue); /* or the compiler works the address out anew at every use */
  __u64 n = words ? queue->counters.rx.packets : queue->only.n;
  if (TP_UNLIKELY((n & 63) == 0)) {
    if (drawing) return drawing(ctx);
    queue->cpu = bpf_get_smp_processor_id() + 1; /* now and then will do */
  }
  struct tp_queue_counters* counters = &queue->counters;
  if (words) count_frame(&counters->rx, bytes, shared);

  const __u8 port = (__u8)constants->port;
  struct tp_datapath dp = {.constants = constants,
                           .ctx = ctx,
                           .queue = queue,
                           .queue_index = index,
                           .words = words,
                           .may_draw = !drawing,
                           .general = any,
                           .data = data,
                           .end = end,
                           .port = port};
  if (any && tp_live.timed) dp.now = constants->clock_given ? tp_clock : bpf_ktime_get_coarse_ns();
  struct tp_decision decision =
      any ? tp_decide_general(&dp, bytes, tp_live.n_shapes, tp_live.fallback, shared)
          : tp_decide(&dp, bytes, words ? constants->n_shapes : 0, constants->fallback, shared);
  if (decision.verdict == TP_TX && (decision.out_port != port || constants->no_xdp_tx))
    return redirect(counters, decision.out_port, bytes, shared);
  count_frame(tp_verdict_count(counters, decision.verdict, decision.out_port), bytes, shared);
  if (decision.verdict == TP_TX) return XDP_TX;
  return decision.verdict == TP_PASS ? XDP_PASS : XDP_DROP;
}

/* Entry points: by what the policy looks at, and by how the frames come. */
#define TP_ENTRY(name, words, frags, shared) \
  SEC("xdp")                                 \
  int name(struct xdp_md* ctx) { return serve(ctx, words, 0, frags, shared, 0); }

#define TP_ALL_ENTRY(name, frags)                                    \
  __attribute__((noinline)) int name##_drawing(struct xdp_md* ctx) { \
    return serve(ctx, 0, 0, frags, 0, 0);                            \
  }                                                                  \
  SEC("xdp")                                                         \
  int name(struct xdp_md* ctx) { return serve(ctx, 0, 0, frags, 0, name##_drawing); }

TP_ALL_ENTRY(tp_all_plain, 0)
TP_ALL_ENTRY(tp_all_frags, 1)
TP_ENTRY(tp_all_shared, 0, 0, 1)
TP_ENTRY(tp_narrow_plain, TP_TUPLE_WORDS, 0, 0)
TP_ENTRY(tp_narrow_frags, TP_TUPLE_WORDS, 1, 0)
TP_ENTRY(tp_narrow_shared, TP_TUPLE_WORDS, 0, 1)
TP_ENTRY(tp_full_plain, TP_ALL_WORDS, 0, 0)
TP_ENTRY(tp_full_frags, TP_ALL_WORDS, 1, 0)
TP_ENTRY(tp_full_shared, TP_ALL_WORDS, 0, 1)

#define TP_ANY_ENTRY(name, frags, shared) \
  SEC("xdp")                              \
  int name(struct xdp_md* ctx) { return serve(ctx, TP_ALL_WORDS, 1, frags, shared, 0); }

TP_ANY_ENTRY(tp_any_plain, 0, 0)
TP_ANY_ENTRY(tp_any_frags, 1, 0)
TP_ANY_ENTRY(tp_any_shared, 0, 1)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
