// SPDX-License-Identifier: BSD-3-Clause
// Sending by one TX queue, and the parts of Egress that few bursts need. Runs on the worker's
// lcore.

#include "src/dpdk/worker/egress.h"

#include <rte_ether.h>
#include <rte_pause.h>

#include "src/policy/packet.h"

namespace twinpath {
namespace {

constexpr int kSendRetries = 8;

// Moves the frames that `accepted` refuses to the end. Both parts keep their order. Returns the
// size of the first part.
template <typename Accepted>
uint32_t RefusedLast(rte_mbuf** frames, uint32_t count, const Accepted& accepted) {
  return static_cast<uint32_t>(std::stable_partition(frames, frames + count, accepted) - frames);
}

bool IsTagged(const rte_mbuf* frame) {
  constexpr uint32_t kTypeAt = 12;
  return frame->data_len >= kTypeAt + 2 &&
         tp_be16(MbufAccess::Data(frame) + kTypeAt) == RTE_ETHER_TYPE_VLAN;
}

uint32_t LongFramesLast(rte_mbuf** frames, uint32_t count, const FrameLimits& limits) {
  const uint32_t untagged = limits.untagged.load(std::memory_order_relaxed);
  uint32_t longest = 0;
  for (uint32_t i = 0; i < count; i++) longest = std::max(longest, frames[i]->pkt_len);
  if (TP_LIKELY(longest <= untagged)) return count;
  const uint32_t tagged = limits.tagged.load(std::memory_order_relaxed);
  return RefusedLast(frames, count, [untagged, tagged](const rte_mbuf* frame) {
    return frame->pkt_len <= untagged || (frame->pkt_len <= tagged && IsTagged(frame));
  });
}

uint32_t LongChainsLast(rte_mbuf** frames, uint32_t count, uint32_t longest) {
  return RefusedLast(frames, count, [longest](const rte_mbuf* frame) {
    return frame->nb_segs == 1 || frame->pkt_len <= longest;
  });
}

}  // namespace

SentFrames Send(QueueEnd to, rte_mbuf** frames, uint32_t count) {
  uint32_t fit = count;
  if (to.limits != nullptr) fit = LongFramesLast(frames, count, *to.limits);
  const uint32_t too_long = count - fit;
  if (TP_UNLIKELY(to.longest_chain != kAnyLength))
    fit = LongChainsLast(frames, fit, to.longest_chain);
  uint32_t sent = rte_eth_tx_burst(to.ethdev, to.queue, frames, static_cast<uint16_t>(fit));
  for (int retry = 0; TP_UNLIKELY(sent < fit) && retry < kSendRetries; retry++) {
    rte_pause();
    sent += rte_eth_tx_burst(to.ethdev, to.queue, frames + sent, static_cast<uint16_t>(fit - sent));
  }
  return {.count = sent, .too_long = too_long};
}

// Hands frames to the kernel. If the port has no exception port, drops them, but counts them as
// passed.
void Egress::Pass(Queue* queue, rte_mbuf** frames, uint32_t count, uint64_t bytes) {
  uint32_t sent = count;
  if (queue->has_to_kernel) {
    if (queue->completes_to_kernel)
      queue->extras.checksums_completed += CompleteChecksums(frames, count);
    sent = Send(queue->to_kernel, frames, count).count;
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
