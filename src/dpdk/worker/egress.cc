// SPDX-License-Identifier: BSD-3-Clause
// Sending by one TX queue, and the parts of Egress that few bursts need. Runs on the worker's
// lcore.

#include "src/dpdk/worker/egress.h"

#include <rte_pause.h>

namespace twinpath {
namespace {

constexpr int kSendRetries = 8;

// Moves frames that have several mbufs and more than `longest` bytes to the end. Both parts keep
// their order. Returns the size of the first part.
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

// Hands frames to the kernel. If the port has no exception port, drops them, but counts them as
// passed.
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

// Counts and drops frames that a TX queue refused. Returns the sum of their lengths in bytes.
uint64_t Egress::Refuse(Queue* queue, rte_mbuf** frames, uint32_t count) {
  const uint64_t bytes = FrameBytes<MbufAccess>(frames, count);
  tp_count_add(&queue->counters.verdict[TP_TX_FULL], count, bytes);
  Drop(frames, count);
  return bytes;
}

}  // namespace twinpath
