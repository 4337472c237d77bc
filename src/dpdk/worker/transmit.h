// SPDX-License-Identifier: BSD-3-Clause
// Sending a burst by one TX queue. Inline; the queue's own lcore.

#ifndef TWINPATH_DPDK_WORKER_TRANSMIT_H_
#define TWINPATH_DPDK_WORKER_TRANSMIT_H_

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>

#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

inline constexpr int kSendRetries = 8;

// Moves the frames of several segments behind the others, both in order; returns how many come
// first.
inline uint32_t MultiSegmentLast(rte_mbuf** frames, uint32_t count) {
  return static_cast<uint32_t>(
      std::stable_partition(frames, frames + count,
                            [](const rte_mbuf* frame) { return frame->nb_segs == 1; }) -
      frames);
}

// Offers `count` frames, and what is not taken a few times more. Returns how many were taken; they
// are the first and no longer the caller's.
inline uint32_t Send(QueueEnd to, rte_mbuf** frames, uint32_t count) {
  if (TP_UNLIKELY(!to.multi_segment)) count = MultiSegmentLast(frames, count);
  uint32_t sent = rte_eth_tx_burst(to.ethdev, to.queue, frames, static_cast<uint16_t>(count));
  for (int retry = 0; TP_UNLIKELY(sent < count) && retry < kSendRetries; retry++) {
    rte_pause();
    sent +=
        rte_eth_tx_burst(to.ethdev, to.queue, frames + sent, static_cast<uint16_t>(count - sent));
  }
  return sent;
}

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_TRANSMIT_H_
