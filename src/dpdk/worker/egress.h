// SPDX-License-Identifier: BSD-3-Clause
// Carries out the decisions: sends frames, hands them to the kernel or drops them, in batches, and
// counts each by its result. The functions that every burst runs are inline, in the order in which
// they run. Owned by one worker; runs on its lcore.

#ifndef TWINPATH_DPDK_WORKER_EGRESS_H_
#define TWINPATH_DPDK_WORKER_EGRESS_H_

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "src/dpdk/worker/checksums.h"
#include "src/dpdk/worker/mbuf.h"
#include "src/dpdk/worker/queue.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/engine/burst.h"
#include "src/engine/decide_blind.h"
#include "src/policy/count.h"
#include "src/policy/effects.h"

namespace twinpath {

// Sends `count` frames by one TX queue; retries refused ones a few times. Returns how many were
// sent: the first ones in `frames`, which the caller does not own any more. Frames that the queue
// never accepts, or that are longer than the interface's MTU, are moved to the end.
uint32_t Send(const QueueEnd& to, rte_mbuf** frames, uint32_t count);

// How many of the frames that Send did not send are longer than the interface's MTU.
uint32_t CountTooLong(const QueueEnd& to, rte_mbuf* const* frames, uint32_t count);

class Egress {
 public:
  // Dropped frames are freed `burst_size` (1 to kMaxBurst) or more at a time. With little loss that
  // happens once in many bursts.
  explicit Egress(uint32_t burst_size) : burst_size_(burst_size) {}
  ~Egress() { FreeDrops(); }
  Egress(const Egress&) = delete;
  Egress& operator=(const Egress&) = delete;

  // Room for kMaxBurst dropped frames of a blind burst; CarryOut then takes them.
  rte_mbuf** room() { return drops_ + n_drops_; }

  // Carries out a burst of the blind tier. Its dropped frames are already in room().
  void CarryOut(Queue* queue, rte_mbuf** frames, const BlindOutcome& outcome);

  // Carries out burst.effects for `count` frames.
  void CarryOut(Queue* queue, rte_mbuf* const* frames, const Burst& burst, uint32_t count);

  // Frees dropped frames if at least a burst of them has gathered. Call it after each burst.
  // FreeDrops frees them in any case.
  void FreeGathered() {
    if (n_drops_ >= burst_size_) FreeDrops();
  }
  void FreeDrops() { FreeFrames(drops_, std::exchange(n_drops_, 0)); }

 private:
  // Frames that leave by the same port, or go to the kernel.
  struct Batch {
    uint32_t count = 0;
    uint64_t bytes = 0;
    rte_mbuf* frames[kMaxBurst];
  };

  void Put(Queue* queue, rte_mbuf* frame, tp_effects effects, uint32_t bytes);
  void SendBatches(Queue* queue);
  void Transmit(Queue* queue, uint8_t out_port, rte_mbuf** frames, uint32_t count, uint64_t bytes);
  void Pass(Queue* queue, rte_mbuf** frames, uint32_t count, uint64_t bytes);
  uint64_t Refuse(Queue* queue, rte_mbuf** frames, uint32_t count);
  uint64_t RefuseByPort(Queue* queue, uint8_t out_port, rte_mbuf** frames, uint32_t count);
  void Drop(rte_mbuf** frames, uint32_t count) {
    std::copy_n(frames, count, room());
    n_drops_ += count;
  }

  const uint32_t burst_size_;
  uint32_t n_drops_ = 0;             // fewer than burst_size_ when a burst begins
  uint32_t used_ = 0;                // bit p: batches_[p] has frames
  rte_mbuf* drops_[2 * kMaxBurst];   // dropped but not yet freed
  Batch batches_[TP_TO_KERNEL + 1];  // by tp_effects.to
};

inline void Egress::CarryOut(Queue* queue, rte_mbuf** frames, const BlindOutcome& outcome) {
  if (outcome.lost != 0)
    tp_count_add(&queue->counters.verdict[TP_LOST], outcome.lost, outcome.lost_bytes);
  if (TP_UNLIKELY(outcome.malformed != 0))
    tp_count_add(&queue->counters.verdict[TP_MALFORMED], outcome.malformed,
                 outcome.malformed_bytes);
  n_drops_ += outcome.lost + outcome.malformed;
  if (outcome.kept == 0) return;
  if (outcome.effects.fate != TP_FATE_FORWARD) {
    tp_count_add(&queue->counters.verdict[outcome.effects.fate], outcome.kept, outcome.kept_bytes);
    Drop(frames, outcome.kept);
  } else if (outcome.effects.to == TP_TO_KERNEL) {
    Pass(queue, frames, outcome.kept, outcome.kept_bytes);
  } else {
    Transmit(queue, outcome.effects.to, frames, outcome.kept, outcome.kept_bytes);
  }
}

inline void Egress::CarryOut(Queue* queue, rte_mbuf* const* frames, const Burst& burst,
                             uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    Put(queue, frames[i], burst.effects[i], burst.frames[i].frame_len);
  SendBatches(queue);
}

// Puts a frame into its batch, or counts and drops it.
inline void Egress::Put(Queue* queue, rte_mbuf* frame, tp_effects effects, uint32_t bytes) {
  if (effects.fate == TP_FATE_FORWARD) {
    Batch& batch = batches_[effects.to];
    batch.frames[batch.count++] = frame;
    batch.bytes += bytes;
    used_ |= 1u << effects.to;
  } else {
    tp_count_add(&queue->counters.verdict[effects.fate], 1, bytes);
    drops_[n_drops_++] = frame;
  }
}

inline void Egress::SendBatches(Queue* queue) {
  for (uint32_t left = std::exchange(used_, 0); left != 0; left &= left - 1) {
    const auto to = static_cast<uint32_t>(__builtin_ctz(left));
    Batch& batch = batches_[to];
    const uint32_t count = std::exchange(batch.count, 0);
    const uint64_t bytes = std::exchange(batch.bytes, 0);
    if (to == TP_TO_KERNEL)
      Pass(queue, batch.frames, count, bytes);
    else
      Transmit(queue, static_cast<uint8_t>(to), batch.frames, count, bytes);
  }
}

// Sends `count` frames of `bytes` bytes in total by `out_port`. Drops refused ones.
inline void Egress::Transmit(Queue* queue, uint8_t out_port, rte_mbuf** frames, uint32_t count,
                             uint64_t bytes) {
  if (queue->completes) queue->extras.checksums_completed += CompleteChecksums(frames, count);
  const uint32_t sent = Send(queue->tx[out_port], frames, count);
  if (TP_UNLIKELY(sent < count))
    bytes -= RefuseByPort(queue, out_port, frames + sent, count - sent);
  tp_count_add(&queue->counters.tx[out_port], sent, bytes);
}

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_EGRESS_H_
