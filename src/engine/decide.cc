// SPDX-License-Identifier: BSD-3-Clause
// Decides a burst on a queue of any tier. Each frame's effects are at the frame's index.

#include <algorithm>

#include "src/engine/burst.h"
#include "src/engine/decide_blind.h"

namespace twinpath {
namespace {

struct ViewAccess {
  using Frame = FrameView;
  static uint32_t Length(const FrameView* frame) { return frame->frame_len; }
  static uint8_t* Data(const FrameView* frame) { return frame->data; }
  static uint32_t DataLength(const FrameView* frame) { return frame->data_len; }
};

// The blind tier reorders pointers to the views. The address of a view gives its index.
uint64_t DecideBlindInPlace(QueuePlan* plan, uint32_t count, Burst* burst) {
  FrameView* frames[kMaxBurst];
  FrameView* dropped[kMaxBurst];
  for (uint32_t i = 0; i < count; i++) frames[i] = &burst->frames[i];
  const BlindOutcome outcome = DecideBlind<ViewAccess>(plan, frames, count, dropped);
  const auto effects_of = [burst](const FrameView* frame) -> tp_effects& {
    return burst->effects[frame - burst->frames];
  };
  for (uint32_t i = 0; i < outcome.kept; i++) effects_of(frames[i]) = outcome.effects;
  for (uint32_t i = 0; i < outcome.lost + outcome.malformed; i++) {
    const tp_fate fate = i < outcome.lost ? TP_FATE_LOST : TP_FATE_MALFORMED;
    effects_of(dropped[i]) = {plan->fallback, static_cast<__u8>(fate), 0, 0, 0, 0, 0, 0, 0};
  }
  return outcome.bytes;
}

}  // namespace

uint64_t Decide(QueuePlan* plan, uint32_t count, Burst* burst) {
  switch (plan->tier) {
    case TP_TIER_BLIND:
      return DecideBlindInPlace(plan, count, burst);
    case TP_TIER_HEADERS:
      std::fill_n(burst->effects, count, tp_effects{});
      return DecideHeaders(plan, count, burst);
    default:
      return DecideGeneral(plan, count, burst);
  }
}

}  // namespace twinpath
