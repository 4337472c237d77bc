// SPDX-License-Identifier: BSD-3-Clause
// Frames -> batches by where they go -> the ends of the queue.

#include "src/sockets/worker/egress.h"

#include <algorithm>
#include <utility>

#include "src/policy/count.h"
#include "src/sockets/checksums.h"

namespace twinpath {

void SocketEgress::CarryOut(SocketQueue* queue, SocketFrame* frames, const Burst& burst,
                            uint32_t count, tp_delivery* deliveries) {
  for (uint32_t i = 0; i < count; i++) {
    const tp_effects& effects = burst.effects[i];
    deliveries[i] = TP_DELIVERED;
    if (effects.fate != TP_FATE_FORWARD) {
      tp_count_add(&queue->counters.verdict[effects.fate], 1, frames[i].frame_length);
      continue;
    }
    Batch& batch = batches_[effects.to];
    batch.indexes[batch.count++] = static_cast<uint8_t>(i);
    used_ |= 1u << effects.to;
  }
  for (uint32_t left = std::exchange(used_, 0); left != 0; left &= left - 1) {
    const auto to = static_cast<uint32_t>(__builtin_ctz(left));
    Leave(queue, frames, to, batches_[to], deliveries);
    batches_[to].count = 0;
  }
}

void SocketEgress::Leave(SocketQueue* queue, SocketFrame* frames, uint32_t to, const Batch& batch,
                         tp_delivery* deliveries) {
  const bool kernel = to == TP_TO_KERNEL;
  TxQueue* end = kernel ? queue->to_stack : queue->tx[to];
  SocketFrame* leaving[kMaxBurst];
  tp_delivery delivered[kMaxBurst];
  const bool completes = kernel ? queue->completes_to_stack : queue->completes;
  for (uint32_t i = 0; i < batch.count; i++) {
    leaving[i] = &frames[batch.indexes[i]];
    if (completes) queue->extras.checksums_completed += CompleteChecksum(leaving[i]) ? 1 : 0;
  }
  if (end != nullptr)
    end->Send(leaving, batch.count, delivered);
  else
    std::fill_n(delivered, batch.count, TP_NOWHERE);
  tp_count sent = {};
  for (uint32_t i = 0; i < batch.count; i++) {
    const uint32_t bytes = leaving[i]->frame_length;
    deliveries[batch.indexes[i]] = delivered[i];
    if (TP_LIKELY(delivered[i] == TP_DELIVERED)) {
      tp_count_add(&sent, 1, bytes);
      continue;
    }
    const bool refused = delivered[i] == TP_REFUSED;
    tp_count_add(&queue->counters.verdict[refused ? TP_TX_FULL : TP_NO_PORT], 1, bytes);
    if (refused && !kernel) queue->refused[to]++;
  }
  tp_count_sum(kernel ? &queue->counters.verdict[TP_PASS] : &queue->counters.tx[to], &sent);
}

}  // namespace twinpath
