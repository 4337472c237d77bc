// SPDX-License-Identifier: BSD-3-Clause
// Decides a burst of frames. Parse, classify, lose and forward are stages over the whole burst, and
// each stage prefetches what the next one reads. The result is the same as that of
// src/policy/pipeline.h for one frame after the other. Depends neither on DPDK nor on libbpf: the
// DPDK worker uses it on mbufs, tests and fuzzers on ordinary memory. Runs on the thread that
// serves the queue.
//
//   for (uint32_t i = 0; i < count; i++) burst.Set(i, data, data_len, frame_len);
//   const uint64_t bytes = DecideHeaders(&plan, count, &burst);
//   // burst.effects[0..count) now say what to do with each frame.

#ifndef TWINPATH_ENGINE_BURST_H_
#define TWINPATH_ENGINE_BURST_H_

#include <cstdint>

#include "src/policy/effects.h"
#include "src/policy/pipeline.h"

namespace twinpath {

inline constexpr uint32_t kMaxBurst = 64;  // the fates of a burst fit into one word

// One queue's part of a policy. It points to the tables, the streams and the flows, and does not
// own them. The thread that serves the queue writes the streams, and the time and the frame in
// `datapath`. The control thread sets all other fields before.
struct QueuePlan {
  tp_datapath datapath = {};
  uint32_t n_shapes = 0;
  uint32_t fallback = 0;  // the rule of packets that match no shape
  tp_tier tier = TP_TIER_BLIND;
  bool timed = false;    // a rule depends on the time: the caller sets the time for each burst
  bool counted = false;  // a rule has TP_RULE_COUNTED
};

// A frame, for the decision.
struct FrameView {
  uint8_t* data = nullptr;
  uint32_t data_len = 0;   // bytes at `data`: those of the first segment
  uint32_t frame_len = 0;  // bytes of the whole frame
};

// A burst, and the working memory of its stages. One thread.
struct Burst {
  // Sets frame i, and prefetches its headers.
  void Set(uint32_t i, uint8_t* data, uint32_t data_len, uint32_t frame_len) {
    frames[i] = {data, data_len, frame_len};
    __builtin_prefetch(data);
  }

  alignas(64) FrameView frames[kMaxBurst];
  alignas(64) tp_effects effects[kMaxBurst] = {};

  // Results that one stage hands to the next, by frame.
  alignas(64) tp_key keys[kMaxBurst];
  uint64_t sums[kMaxBurst];
  uint64_t flow_keys[kMaxBurst];  // of frames whose rule loses by flow
  uint32_t rules[kMaxBurst];
  // For the current shape: the frames for which it is tried, in order.
  uint8_t pending[kMaxBurst];  // the frame's index
  uint8_t slots[kMaxBurst];    // bit s: slot s of the frame's bucket has the frame's tag
};

// Both functions decide the burst's first `count` frames (1 to kMaxBurst) in order, on a queue of
// TP_TIER_HEADERS or TP_TIER_GENERAL. They write burst->effects, and may change bytes of the frames
// (reflect, ECN marks). DecideHeaders writes only `rule`, `fate` and `to` of the effects. Both
// return the number of bytes of all frames. They count packets by rule; the caller counts by queue.
uint64_t DecideHeaders(QueuePlan* plan, uint32_t count, Burst* burst);
uint64_t DecideGeneral(QueuePlan* plan, uint32_t count, Burst* burst);

// Decides a burst on a queue of any tier, including the blind one. Slower, so it is for paths that
// need no speed; the DPDK worker uses src/engine/decide_blind.h. Writes all fields of the effects.
uint64_t Decide(QueuePlan* plan, uint32_t count, Burst* burst);

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_BURST_H_
