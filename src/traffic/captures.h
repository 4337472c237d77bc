// SPDX-License-Identifier: BSD-3-Clause
// Captures as the source of frames: to be sent, or to be counted. One thread.

#ifndef TWINPATH_TRAFFIC_CAPTURES_H_
#define TWINPATH_TRAFFIC_CAPTURES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/capture/capture_reader.h"
#include "src/traffic/frames/frame_source.h"
#include "src/traffic/frames/plan.h"
#include "src/traffic/receive/receiver.h"
#include "src/traffic/send/schedule.h"

namespace twinpath {

// The frames of a capture, again and again, in memory.
class Recording : public FrameSource {
 public:
  // With `tagged`, UDP datagrams whose payload has room carry the tag; other frames are sent as
  // recorded. InvalidArgument: no capture, an empty one, or frames that were cut when they were
  // recorded.
  static absl::StatusOr<Recording> Load(const std::string& path, bool tagged, uint8_t stream);

  uint32_t Size(uint64_t n) const override;
  uint32_t longest() const override { return longest_; }
  uint32_t Write(uint64_t n, uint64_t time, uint8_t* out) const override;

  size_t frames() const { return frames_.size(); }
  uint64_t tagged() const { return tagged_; }  // frames in the capture
  // When each frame was recorded, from the first, in nanoseconds; never descending.
  const std::vector<uint64_t>& offsets() const { return offsets_; }

 private:
  struct Frame {
    size_t at;  // in bytes_
    uint32_t size;
    int64_t plan = -1;    // in plans_; -1: as recorded
    uint64_t before = 0;  // tagged frames before it in the capture
  };
  std::vector<uint8_t> bytes_;
  std::vector<Frame> frames_;
  std::vector<Plan> plans_;
  std::vector<uint64_t> offsets_;
  uint32_t longest_ = 0;
  uint64_t tagged_ = 0;
};

class CaptureInput : public FrameInput {
 public:
  explicit CaptureInput(Capture capture) : capture_(std::move(capture)) {}
  absl::StatusOr<bool> Poll(uint64_t wait_ns, Receiver* receiver) override;
  uint64_t missed() override { return 0; }

 private:
  Capture capture_;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_CAPTURES_H_
