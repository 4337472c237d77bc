// SPDX-License-Identifier: BSD-3-Clause
// Reads the tag of a received frame. Pure functions; any thread.

#ifndef TWINPATH_TRAFFIC_FRAMES_TAG_H_
#define TWINPATH_TRAFFIC_FRAMES_TAG_H_

#include <cstdint>

#include "absl/types/span.h"

namespace twinpath {

enum class TagState {
  kNone,       // no UDP datagram with a tag
  kTagged,     // with right checksums, or with a datagram that was captured only in part
  kCorrupted,  // a UDP datagram whose checksum, or whose IPv4 header's, is wrong
};

struct TagRead {
  TagState state = TagState::kNone;
  bool verified = false;  // the checksums were compared
  bool magic = false;     // kCorrupted: what is there looks like a tag
  uint8_t stream = 0;
  uint16_t clock = 0;
  uint64_t sequence = 0;
  uint64_t time = 0;  // modulo 2^48
  uint64_t flow = 0;  // a hash of addresses and ports
};

// `finished`: the sender has not left the checksum to a device (as a sender behind a veth may).
TagRead ReadTag(absl::Span<const uint8_t> frame, bool finished = true);

// `now` - `time`, two counts of nanoseconds modulo 2^48.
inline int64_t TagTransit(uint64_t time, uint64_t now) {
  return static_cast<int64_t>((now - time) << 16) >> 16;
}

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_FRAMES_TAG_H_
