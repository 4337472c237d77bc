// SPDX-License-Identifier: BSD-3-Clause
// Transport checksums computed byte by byte, as RFC 1071 and the pseudo-headers' RFCs define them.
// It is independent of src/policy/egress/checksum.h. The caller says where the headers are; there
// is no parser. For tests; any thread.

#ifndef TWINPATH_TESTS_UNIT_LIB_CHECKSUM_MODEL_H_
#define TWINPATH_TESTS_UNIT_LIB_CHECKSUM_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twinpath {

// A datagram in a frame.
struct Datagram {
  std::vector<uint8_t> frame;
  size_t ip = 14;         // where the IP header is
  bool v6 = false;        // its version
  size_t transport = 34;  // where the transport header is
  size_t length = 0;      // of that header and its payload
  uint8_t proto = 6;      // 6: TCP; 17: UDP

  size_t field() const { return transport + (proto == 6 ? 16 : 6); }
};

// RFC 1071, section 1: big-endian words, end-around carry, an odd last byte padded with zero.
inline uint16_t OnesSum(const std::vector<uint8_t>& octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<uint32_t>(octets[i]) << 8;
    if (i + 1 < octets.size()) sum += octets[i + 1];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<uint16_t>(sum);
}

// RFC 9293, section 3.1; RFC 768; RFC 8200, section 8.1.
inline std::vector<uint8_t> PseudoHeader(const Datagram& d) {
  const size_t from = d.ip + (d.v6 ? 8 : 12), size = d.v6 ? 32 : 8;
  std::vector<uint8_t> octets(d.frame.begin() + static_cast<long>(from),
                              d.frame.begin() + static_cast<long>(from + size));
  if (d.v6) octets.insert(octets.end(), {0, 0});
  octets.insert(octets.end(),
                {static_cast<uint8_t>(d.length >> 8), static_cast<uint8_t>(d.length)});
  octets.insert(octets.end(), {0, d.proto});
  return octets;
}

inline void SetField(Datagram* d, uint16_t value) {
  d->frame[d->field()] = static_cast<uint8_t>(value >> 8);
  d->frame[d->field() + 1] = static_cast<uint8_t>(value);
}

// Leaves the checksum as Linux leaves it to a NIC.
inline void Unfinish(Datagram* d) { SetField(d, OnesSum(PseudoHeader(*d))); }

// Writes the whole checksum.
inline void Finish(Datagram* d) {
  SetField(d, 0);
  std::vector<uint8_t> octets = PseudoHeader(*d);
  octets.insert(octets.end(), d->frame.begin() + static_cast<long>(d->transport),
                d->frame.begin() + static_cast<long>(d->transport + d->length));
  const auto checksum = static_cast<uint16_t>(~OnesSum(octets));
  SetField(d, checksum == 0 && d->proto == 17 ? 0xffff : checksum);
}

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_CHECKSUM_MODEL_H_
