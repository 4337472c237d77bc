// SPDX-License-Identifier: BSD-3-Clause
// What a datapath did with one frame: what `twinpath parity` compares. Plain values; no thread.

#ifndef TWINPATH_ENGINE_FRAME_VERDICT_H_
#define TWINPATH_ENGINE_FRAME_VERDICT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/policy/types.h"

namespace twinpath {

// The longest frame that every path takes, in bytes: no interface receives more.
inline constexpr size_t kLongestFrame = 65535;

struct FrameVerdict {
  tp_verdict verdict = TP_MALFORMED;
  std::optional<uint32_t> rule;      // none where no rule was asked: malformed
  std::optional<uint32_t> out_port;  // TP_TX only
  std::vector<uint8_t> bytes;        // that leave: TP_TX and TP_PASS; else empty
  bool operator==(const FrameVerdict&) const = default;
};

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_FRAME_VERDICT_H_
