// SPDX-License-Identifier: BSD-3-Clause
// The decision over a burst of frames: parse, classify, lose and forward as stages over the whole
// burst, each of which fetches ahead what the next one reads. The decisions are those of
// src/policy/pipeline.h, one frame after the other. No DPDK, no libbpf: the DPDK worker runs this
// over its mbufs, and tests and fuzzers over any memory. Runs on the thread that serves the queue.
//
//   for (uint32_t i = 0; i < count; i++) burst.Set(i, data, data_len, frame_len);
//   const uint64_t bytes = DecideHeaders(&plan, count, &burst);
//   // burst.effects[0..count) say what is to become of each frame.

#ifndef TWINPATH_ENGINE_BURST_H_
#define TWINPATH_ENGINE_BURST_H_

#include <cstdint>

#include "src/policy/effects.h"
#include "src/policy/pipeline.h"

namespace twinpath {

inline constexpr uint32_t kMaxBurst = 64;  // the fates of a burst fit one word

// One queue's part of a policy. Borrows the tables, the streams and the flows. The thread that
// serves the queue writes the streams, and the time and the frame in `datapath`; all else is set
// by the control thread before.
struct QueuePlan {
  tp_datapath datapath = {};
  uint32_t n_shapes = 0;
  uint32_t fallback = 0;  // the rule of packets that match no shape
  tp_tier tier = TP_TIER_BLIND;
  bool timed = false;    // some rule holds at some times: the caller sets the time for each burst
  bool counted = false;  // some rule holds for a number of packets: see TP_RULE_COUNTED
};

// A frame as the decision sees it.
struct FrameView {
  uint8_t* data = nullptr;
  uint32_t data_len = 0;   // bytes at `data`: of the first segment, where a frame has several
  uint32_t frame_len = 0;  // bytes of the whole frame
};

// A burst, and the memory that its stages use. One thread.
struct Burst {
  // Sets frame i, and fetches its headers ahead.
  void Set(uint32_t i, uint8_t* data, uint32_t data_len, uint32_t frame_len) {
    frames[i] = {data, data_len, frame_len};
    __builtin_prefetch(data);
  }

  alignas(64) FrameView frames[kMaxBurst];
  alignas(64) tp_effects effects[kMaxBurst] = {};

  // From stage to stage, by frame.
  alignas(64) tp_key keys[kMaxBurst];
  uint64_t sums[kMaxBurst];
  uint64_t flow_keys[kMaxBurst];  // of frames whose rule loses by flow
  uint32_t rules[kMaxBurst];
  // In order of the frames that the shape at hand is tried for.
  uint8_t pending[kMaxBurst];  // their numbers
  uint8_t slots[kMaxBurst];    // of their buckets: bit s, where the tag of slot s fits
};

// Decide the burst's first `count` frames (1 to kMaxBurst), in their order, on a queue of
// TP_TIER_HEADERS or TP_TIER_GENERAL; write burst->effects, and may change bytes in the frames
// (reflect, ECN marks). DecideHeaders writes of the effects only `rule`, `fate` and `to`. Both
// return the bytes of all frames. They count packets by rule; the caller counts the queue's.
uint64_t DecideHeaders(QueuePlan* plan, uint32_t count, Burst* burst);
uint64_t DecideGeneral(QueuePlan* plan, uint32_t count, Burst* burst);

// The same for a queue of any tier, the blind one included, which the DPDK worker decides by
// src/engine/decide_blind.h: for paths to which speed is not all. All of the effects are written.
uint64_t Decide(QueuePlan* plan, uint32_t count, Burst* burst);

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_BURST_H_
