// SPDX-License-Identifier: BSD-3-Clause
// Sending by one TX queue, and what few bursts meet. Runs on the worker's lcore.

#include "src/dpdk/worker/egress.h"

#include <rte_pause.h>

namespace twinpath {
namespace {

constexpr int kSendRetries = 8;

// Moves frames of several mbufs and more bytes than `longest` behind the others, both in order;
// returns how many come first.
uint32_t LongChainsLast(rte_mbuf** frames, uint32_t count, uint32_t longest) {
  const auto accepted = [longest](const rte_mbuf* frame) {
    return frame->nb_segs == 1 || frame->pkt_len <= longest;
  };
  return static_cast<uint32_t>(std::stable_partition(frames, frames + count, accepted) - frames);
}

}  // namespace

uint32_t Send(QueueEnd to, rte_mbuf** frames, uint32_t count) {
  if (TP_UNLIKELY(to.longest_chain != kAnyLength))
    count = LongChainsLast(frames, count, to.longest_chain);
  uint32_t sent = rte_eth_tx_burst(to.ethdev, to.queue, frames, static_cast<uint16_t>(count));
  for (int retry = 0; TP_UNLIKELY(sent < count) && retry < kSendRetries; retry++) {
    rte_pause();
    sent +=
        rte_eth_tx_burst(to.ethdev, to.queue, frames + sent, static_cast<uint16_t>(count - sent));
  }
  return sent;
}

// Hands frames to the kernel. Without an exception port behind the port, frames end here.
void Egress::Pass(Queue* queue, rte_mbuf** frames, uint32_t count, uint64_t bytes) {
  uint32_t sent = count;
  if (queue->has_to_kernel) {
    if (queue->completes_to_kernel)
      queue->extras.checksums_completed += CompleteChecksums(frames, count);
    sent = Send(queue->to_kernel, frames, count);
    if (TP_UNLIKELY(sent < count)) bytes -= Refuse(queue, frames + sent, count - sent);
  } else {
    Drop(frames, count);
  }
  tp_count_add(&queue->counters.verdict[TP_PASS], sent, bytes);
}

// Counts and drops frames that a TX queue refused; returns their bytes.
uint64_t Egress::Refuse(Queue* queue, rte_mbuf** frames, uint32_t count) {
  const uint64_t bytes = FrameBytes<MbufAccess>(frames, count);
  tp_count_add(&queue->counters.verdict[TP_TX_FULL], count, bytes);
  Drop(frames, count);
  return bytes;
}

}  // namespace twinpath
