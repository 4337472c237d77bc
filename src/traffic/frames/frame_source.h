// SPDX-License-Identifier: BSD-3-Clause
// Where a sender's frames come from: frame n, from 0, always has the same size, and the same bytes
// apart from its time. One thread.

#ifndef TWINPATH_TRAFFIC_FRAMES_FRAME_SOURCE_H_
#define TWINPATH_TRAFFIC_FRAMES_FRAME_SOURCE_H_

#include <cstdint>

namespace twinpath {

class FrameSource {
 public:
  virtual ~FrameSource() = default;

  // Bytes of frame n, without its FCS.
  virtual uint32_t Size(uint64_t n) const = 0;
  // The most that Size returns.
  virtual uint32_t longest() const = 0;
  // Writes frame n, sent at `time` (nanoseconds of CLOCK_MONOTONIC), to `out`, which has room for
  // longest() bytes. Returns Size(n).
  virtual uint32_t Write(uint64_t n, uint64_t time, uint8_t* out) const = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_FRAMES_FRAME_SOURCE_H_
