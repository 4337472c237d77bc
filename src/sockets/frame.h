// SPDX-License-Identifier: BSD-3-Clause
// A received frame, where its engine keeps it. Plain values; the worker's thread.

#ifndef TWINPATH_SOCKETS_FRAME_H_
#define TWINPATH_SOCKETS_FRAME_H_

#include <algorithm>
#include <cstdint>

namespace twinpath {

// The kernel's note about a frame (PACKET_VNET_HDR of packet(7)): struct virtio_net_hdr of
// linux/virtio_net.h, which C++ compilers do not read. All 0: there is nothing to say.
struct FrameNote {
  static constexpr uint8_t kUnfinished = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM: its checksum
  uint8_t flags = 0;
  uint8_t segments = 0;  // which kind of segments; 0: the frame is one packet
  uint16_t header_length = 0;
  uint16_t segment_size = 0;
  uint16_t checksum_start = 0, checksum_offset = 0;  // from the start of the frame, and from there

  bool is_tcp() const {  // if there are segments: VIRTIO_NET_HDR_GSO_TCPV4, _TCPV6; the rest is UDP
    const int kind = segments & 0x7f;  // without VIRTIO_NET_HDR_GSO_ECN
    return kind == 1 || kind == 4;
  }
};
static_assert(sizeof(FrameNote) == 10, "as the kernel has it");

struct SocketFrame {
  uint8_t* data = nullptr;    // writable, until the queue's next Receive
  uint32_t length = 0;        // bytes at `data`
  uint32_t frame_length = 0;  // of the whole frame; more than `length`: the ring cut it
  FrameNote note;

  bool cut() const { return length < frame_length; }
  // Several segments that the sender, or GRO, left together.
  bool segments() const { return note.segments != 0; }
  // The length in bytes of the frame, or of the longest packet that its segments become. Their
  // checksums are unfinished, so the note says where the header of TCP or UDP is. Its header_length
  // may count payload, too.
  uint32_t longest_packet() const {
    constexpr uint32_t kUdp = 8, kOffset = 12;  // RFC 768; RFC 9293: the upper 4 bits, in words
    if (!segments()) return frame_length;
    const uint32_t at = note.checksum_start;
    if ((note.flags & FrameNote::kUnfinished) == 0 || at + kOffset >= length)
      return note.segment_size;
    const uint32_t header = note.is_tcp() ? data[at + kOffset] / 16u * 4 : kUdp;
    return std::min(frame_length, at + header + note.segment_size);
  }
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_FRAME_H_
