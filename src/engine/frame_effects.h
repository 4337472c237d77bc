// SPDX-License-Identifier: BSD-3-Clause
// What a path did with one frame. `twinpath parity` compares two of them. Plain values; no thread.

#ifndef TWINPATH_ENGINE_FRAME_EFFECTS_H_
#define TWINPATH_ENGINE_FRAME_EFFECTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "src/policy/effects.h"
#include "src/policy/types.h"

// Compares every field.
inline bool operator==(const tp_effects& a, const tp_effects& b) {
  const auto fields = [](const tp_effects& e) {
    return std::tie(e.rule, e.fate, e.to, e.many, e.copies, e.flags, e.corrupt, e.rewrite, e.delay);
  };
  return fields(a) == fields(b);
}

namespace twinpath {

// The longest frame that every path accepts, in bytes. No interface receives longer ones.
inline constexpr size_t kLongestFrame = 65535;

// The effects of a malformed frame, which no rule decides.
inline constexpr tp_effects kMalformed = {TP_NO_RULE, TP_FATE_MALFORMED, 0, 0, 0, 0, 0, 0, 0};

struct FrameEffects {
  // The effects of a frame that was counted as `verdict`. `out_port` matters only for TP_TX.
  static FrameEffects Of(tp_verdict verdict, uint32_t rule = TP_NO_RULE, uint32_t out_port = 0,
                         std::vector<uint8_t> bytes = {}) {
    FrameEffects made;
    made.bytes = std::move(bytes);
    made.effects.rule = rule;
    made.effects.fate = TP_FATE_FORWARD;
    switch (verdict) {
      case TP_LOST:
      case TP_DENIED:
      case TP_MALFORMED:
        made.effects.fate = static_cast<__u8>(verdict);
        break;
      case TP_PASS:
        made.effects.to = TP_TO_KERNEL;
        break;
      case TP_TX_FULL:
        made.delivery = TP_REFUSED;
        break;
      case TP_NO_PORT:
        made.delivery = TP_NOWHERE;
        break;
      default:
        made.effects.to = static_cast<__u8>(out_port);
        break;
    }
    return made;
  }

  tp_effects effects = kMalformed;
  tp_delivery delivery = TP_DELIVERED;
  std::vector<uint8_t> bytes;  // of the frame when it leaves; empty if it does not leave

  tp_verdict verdict() const { return tp_verdict_of(effects, delivery); }
  bool leaves() const { return verdict() == TP_TX || verdict() == TP_PASS; }
  std::optional<uint32_t> rule() const {
    return effects.rule == TP_NO_RULE ? std::nullopt : std::optional<uint32_t>(effects.rule);
  }
  // The port by which the frame left; none if it did not leave by a port.
  std::optional<uint32_t> out_port() const {
    return verdict() == TP_TX ? std::optional<uint32_t>(effects.to) : std::nullopt;
  }

  bool operator==(const FrameEffects&) const = default;
};

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_FRAME_EFFECTS_H_
