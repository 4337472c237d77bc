// SPDX-License-Identifier: BSD-3-Clause
// What arrived, over all streams: frames in, accounts out. Pure; one thread.

#ifndef TWINPATH_TRAFFIC_RECEIVE_RECEIVER_H_
#define TWINPATH_TRAFFIC_RECEIVE_RECEIVER_H_

#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/traffic/receive/stream_account.h"

namespace twinpath {

struct ReceivedFrame {
  absl::Span<const uint8_t> bytes;
  uint32_t length = 0;   // of the frame, of which `bytes` may be a part
  uint64_t arrival = 0;  // in nanoseconds
  bool finished = true;  // see ReadTag
};

class Receiver {
 public:
  struct Stream {
    StreamAccount account;
    uint64_t bytes = 0;  // of received frames, duplicates included
    uint64_t first_arrival = 0, last_arrival = 0;
    // The frames' times are of another clock than the arrivals: transit times are relative to that
    // of the first frame.
    bool relative = false;
    uint64_t zero = 0;        // what is added to arrivals for that
    uint64_t unverified = 0;  // frames whose checksums could not be compared
  };

  // `clock`: which clock arrivals are of, as ClockId says it; -1: of a clock that is none of the
  // frames'.
  explicit Receiver(int clock) : clock_(clock) {}

  void Add(const ReceivedFrame& frame);

  uint64_t frames() const { return frames_; }
  uint64_t tagged() const { return tagged_; }        // duplicates included
  uint64_t corrupted() const { return corrupted_; }  // see TagState
  uint64_t others() const { return frames_ - tagged_ - corrupted_; }
  uint64_t last_tagged() const { return last_tagged_; }  // its arrival
  const std::map<uint8_t, std::unique_ptr<Stream>>& streams() const { return streams_; }

 private:
  int clock_;
  uint64_t frames_ = 0, tagged_ = 0, corrupted_ = 0, last_tagged_ = 0;
  std::map<uint8_t, std::unique_ptr<Stream>> streams_;
  Stream* by_number_[256] = {};
};

// Where a receiver's frames come from.
class FrameInput {
 public:
  virtual ~FrameInput() = default;
  // Adds the frames that have arrived; waits for some until `wait_ns` nanoseconds have passed.
  // Returns false at the end of a capture.
  virtual absl::StatusOr<bool> Poll(uint64_t wait_ns, Receiver* receiver) = 0;
  // Frames that arrived, and that this process was too slow to take. Asks the device.
  virtual uint64_t missed() = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_RECEIVE_RECEIVER_H_
