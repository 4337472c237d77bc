// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * The XDP datapath: the decision of src/policy on every frame that a port receives. Owns the entry
 * points and the way from a verdict to an XDP action. Runs on the CPU that serves the RX queue; one
 * instance a port, told apart by tp_constants.
 *
 * There is one body and nine entry points, of which a port loads the one that does no more than its
 * policy and its interface ask for: how much of the headers the policy looks at (nothing, few words
 * of the key, all), and how the frames come:
 * - plain: in one piece, a queue served by one CPU at a time (native mode);
 * - frags: in several pieces (native mode with a large MTU), so that a helper tells the length;
 * - shared: in one piece, a queue served by several CPUs at once (generic mode).
 */
#include "bpf/hooks.bpf.h"

/* Adds one frame to a counter. */
TP_INLINE void count_frame(struct tp_count* count, __u32 bytes, int shared) {
  if (shared)
    tp_count_add_shared(count, 1, bytes);
  else
    tp_count_add(count, 1, bytes);
}

/* The whole way of one frame; `words`, `frags` and `shared` are constants. */
TP_INLINE int serve(struct xdp_md* ctx, __u32 words, int frags, int shared) {
  const struct tp_constants* constants = tp_get_constants();
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  __u32 bytes = frags ? (__u32)bpf_xdp_get_buff_len(ctx) : (__u32)(end - data);
  __u32 index = ctx->rx_queue_index;
  if (TP_UNLIKELY(index >= constants->n_queues)) {
    tp_count_add_shared(&tp_strays[constants->port & (TP_MAX_PORTS - 1)], 1, bytes);
    return XDP_DROP;
  }
  index = (index + constants->first_queue) & (TP_MAX_XDP_QUEUES - 1);
  struct tp_xdp_queue* queue = &tp_queues[index];
  TP_OPAQUE(queue); /* or the compiler works the address out anew at every use */
  /* Now and then will do to tell which CPU serves the queue. */
  if (TP_UNLIKELY(((words ? queue->counters.rx.packets : queue->only.n) & 63) == 0))
    queue->cpu = bpf_get_smp_processor_id() + 1;
  if (words) count_frame(&queue->counters.rx, bytes, shared);

  struct tp_datapath dp = {constants, ctx, queue, index, words};
  __u8 port = (__u8)constants->port;
  struct tp_decision decision = tp_decide(
      &dp, data, end, bytes, port, words ? constants->n_shapes : 0, constants->fallback, shared);
  int action = XDP_DROP;
  if (decision.verdict == TP_PASS) {
    action = XDP_PASS;
  } else if (decision.verdict == TP_TX) {
    action = XDP_TX;
    if (decision.out_port != port || constants->no_turning) {
      action = (int)bpf_redirect_map(&tp_out_ports, decision.out_port, XDP_DROP);
      if (action != XDP_REDIRECT) decision.verdict = TP_NO_PORT;
    }
  }
  count_frame(tp_verdict_count(&queue->counters, decision.verdict, decision.out_port), bytes,
              shared);
  return action;
}

/* Entry points: by what the policy looks at, and by how the frames come. */
#define TP_ENTRY(name, words, frags, shared) \
  SEC("xdp")                                 \
  int name(struct xdp_md* ctx) { return serve(ctx, words, frags, shared); }

TP_ENTRY(tp_all_plain, 0, 0, 0)
TP_ENTRY(tp_all_frags, 0, 1, 0)
TP_ENTRY(tp_all_shared, 0, 0, 1)
TP_ENTRY(tp_narrow_plain, TP_NARROW_WORDS, 0, 0)
TP_ENTRY(tp_narrow_frags, TP_NARROW_WORDS, 1, 0)
TP_ENTRY(tp_narrow_shared, TP_NARROW_WORDS, 0, 1)
TP_ENTRY(tp_full_plain, TP_ALL_WORDS, 0, 0)
TP_ENTRY(tp_full_frags, TP_ALL_WORDS, 1, 0)
TP_ENTRY(tp_full_shared, TP_ALL_WORDS, 0, 1)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
