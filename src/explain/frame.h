// SPDX-License-Identifier: BSD-3-Clause
// Makes frames from the command line. Pure functions.

#ifndef TWINPATH_EXPLAIN_FRAME_H_
#define TWINPATH_EXPLAIN_FRAME_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace twinpath {

// "02 00:00...": two hex digits for each byte, with optional spaces or colons between bytes; 1 to
// 65535 bytes. InvalidArgument names --frame.
absl::StatusOr<std::vector<uint8_t>> FrameOfHex(std::string_view hex);

// "tcp 10.0.0.1:1234 192.0.2.1:80", "udp [2001:db8::1]:5000 [2001:db8::2]:53", "icmp 10.0.0.1
// 192.0.2.1", "132 2001:db8::1 2001:db8::2". Returns an untagged frame of 60 bytes, or of 74 if the
// headers need them, from 02:00:00:00:00:01 to 02:00:00:00:00:02, with a TTL of 64 and valid
// checksums. TCP is a SYN, ICMP an echo request; for another protocol the frame has only an IP
// header. InvalidArgument names --five-tuple.
absl::StatusOr<std::vector<uint8_t>> FrameOfFiveTuple(std::string_view five_tuple);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_FRAME_H_
