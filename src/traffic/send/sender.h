// SPDX-License-Identifier: BSD-3-Clause
// Sends frames when they are due, by any backend, and says what was really sent. One thread.

#ifndef TWINPATH_TRAFFIC_SEND_SENDER_H_
#define TWINPATH_TRAFFIC_SEND_SENDER_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "src/traffic/frames/frame_source.h"
#include "src/traffic/send/schedule.h"

namespace twinpath {

// A backend.
class Sender {
 public:
  virtual ~Sender() = default;

  // Sends the next frames, `count` (1 to most()) of them. Returns how many the device took: fewer,
  // or none, where its queue is full. An error means that it took none, and takes no more.
  virtual absl::StatusOr<uint32_t> Send(uint32_t count) = 0;
  virtual uint32_t most() const = 0;
  // Frames that the device took since the sender was made and then dropped. Asks the device.
  virtual uint64_t dropped() = 0;
};

struct SendLimits {
  std::optional<uint64_t> packets;
  std::optional<uint64_t> duration;  // nanoseconds
  std::function<bool()> stopped;     // asked every few milliseconds
};

struct SendResult {
  absl::Status failure;  // why the device ended the run; OK: it did not
  uint64_t packets = 0;  // that the device took
  uint64_t bytes = 0;    // of these, without FCS
  uint64_t dropped = 0;  // of these, that the device dropped afterwards
  uint64_t elapsed = 0;  // nanoseconds from the start to the end, the last frame's gap included
  uint64_t latest = 0;   // the most nanoseconds by which a frame left too late
  uint64_t full = 0;     // how often the device took fewer frames than it was given
  bool stopped = false;
};

// Sends `source`'s frames, which `sender` knows, until a limit is reached or the device fails. The
// result counts what was sent until then.
SendResult RunSender(const FrameSource& source, Schedule schedule, const SendLimits& limits,
                     Sender* sender);

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_SEND_SENDER_H_
