// SPDX-License-Identifier: BSD-3-Clause
// Finds the datagram, checks it, and reads the tag at the start of its payload.

#include "src/traffic/frames/tag.h"

#include "bpf/traffic.h"
#include "src/traffic/frames/headers.h"

namespace twinpath {

TagRead ReadTag(absl::Span<const uint8_t> frame, bool finished) {
  TagRead read;
  const std::optional<UdpPlace> udp = FindUdp(frame);
  if (!udp.has_value()) return read;
  const uint32_t at = udp->udp + 8;
  const bool room = udp->payload_bytes() >= TP_TAG_BYTES && at + TP_TAG_BYTES <= frame.size();
  const uint8_t* tag = frame.data() + at;
  read.magic = room && tp_be32(tag) >> 8 == TP_TAG_MAGIC;
  if (read.magic) read.stream = tag[TP_TAG_STREAM];
  read.verified = udp->whole && finished;
  if (read.verified && !ChecksumsRight(frame, *udp)) {
    read.state = TagState::kCorrupted;
    return read;
  }
  if (!read.magic) return read;
  read.state = TagState::kTagged;
  read.clock = tp_be16(tag + TP_TAG_CLOCK);
  read.sequence = uint64_t{tp_be32(tag + TP_TAG_SEQUENCE)} << 16 | tp_be16(tag + 10);
  read.time = uint64_t{tp_be16(tag + TP_TAG_TIME)} << 32 | tp_be32(tag + TP_TAG_TIME + 2);
  read.flow = FlowHash(frame, *udp);
  return read;
}

}  // namespace twinpath
