// SPDX-License-Identifier: BSD-3-Clause
// Where the UDP datagram of a frame is, and whether its checksums are right. Pure functions; any
// thread.

#ifndef TWINPATH_TRAFFIC_FRAMES_HEADERS_H_
#define TWINPATH_TRAFFIC_FRAMES_HEADERS_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace twinpath {

// Offsets in bytes from the start of the frame.
struct UdpPlace {
  uint32_t ip_version = 4;
  uint32_t ip = 0, udp = 0;
  uint32_t end = 0;    // of the datagram
  bool whole = false;  // the frame has all of the datagram
  uint32_t payload_bytes() const { return end - udp - 8; }
};

// nullopt: not a UDP datagram over IPv4 or IPv6, or a fragment of one, or not even its headers are
// there. Behind up to two VLAN tags and IPv4 options; not behind IPv6 extension headers.
std::optional<UdpPlace> FindUdp(absl::Span<const uint8_t> frame);

// Whether the IPv4 header's checksum and, if there is one, the UDP checksum are right. The frame
// has the whole datagram.
bool ChecksumsRight(absl::Span<const uint8_t> frame, const UdpPlace& place);

// A hash of addresses and ports.
uint64_t FlowHash(absl::Span<const uint8_t> frame, const UdpPlace& place);

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_FRAMES_HEADERS_H_
