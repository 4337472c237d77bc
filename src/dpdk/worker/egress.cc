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

// Whether frames fit the limits, at one moment.
auto Fits(const FrameLimits& limits) {
  return [untagged = limits.untagged.load(std::memory_order_relaxed),
          tagged = limits.tagged.load(std::memory_order_relaxed)](const rte_mbuf* frame) {
    return frame->pkt_len <= untagged || (frame->pkt_len <= tagged && IsTagged(frame));
  };
}

uint32_t LongFramesLast(rte_mbuf** frames, uint32_t count, const FrameLimits& limits) {
  uint32_t longest = 0;
  for (uint32_t i = 0; i < count; i++) longest = std::max(longest, frames[i]->pkt_len);
  if (TP_LIKELY(longest <= limits.untagged.load(std::memory_order_relaxed))) return count;
  return RefusedLast(frames, count, Fits(limits));
}

uint32_t LongChainsLast(rte_mbuf** frames, uint32_t count, uint32_t longest) {
  return RefusedLast(frames, count, [longest](const rte_mbuf* frame) {
    return frame->nb_segs == 1 || frame->pkt_len <= longest;
  });
}

}  // namespace

uint32_t Send(const QueueEnd& to, rte_mbuf** frames, uint32_t count) {
  if (to.limits != nullptr) count = LongFramesLast(frames, count, *to.limits);
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

uint32_t CountTooLong(const QueueEnd& to, rte_mbuf* const* frames, uint32_t count) {
  if (to.limits == nullptr) return 0;
  return count - static_cast<uint32_t>(std::count_if(frames, frames + count, Fits(*to.limits)));
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

// Refuse for frames of a port, which also counts why it did not send them. Out of line: in the
// function that every burst runs it would take registers.
uint64_t Egress::RefuseByPort(Queue* queue, uint8_t out_port, rte_mbuf** frames, uint32_t count) {
  const uint32_t too_long = CountTooLong(queue->tx[out_port], frames, count);
  queue->refused[out_port] += count - too_long;
  queue->too_long[out_port] += too_long;
  return Refuse(queue, frames, count);
}

}  // namespace twinpath
