// SPDX-License-Identifier: BSD-3-Clause
// Reads Ethernet, VLAN tags, IPv4, IPv6 and UDP headers.

#include "src/traffic/frames/headers.h"

#include "src/policy/parse.h"
#include "src/policy/random.h"

namespace twinpath {
namespace {

// RFC 1071, over words in the machine's order: the sum of swapped words is the swapped sum.
uint16_t Fold(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

uint64_t Words(const uint8_t* p, size_t bytes) {
  uint64_t sum = 0;
  for (; bytes >= 4; bytes -= 4, p += 4) sum += tp_load32(p);
  if (bytes >= 2) {
    sum += tp_load16(p);
    p += 2;
  }
  if (bytes % 2) sum += *p;  // the first byte of a word in network order
  return sum;
}

}  // namespace

std::optional<UdpPlace> FindUdp(absl::Span<const uint8_t> frame) {
  UdpPlace place;
  uint32_t at = 12;
  const uint8_t* data = frame.data();
  const auto there = [&](uint32_t bytes) { return at + bytes <= frame.size(); };
  if (!there(2)) return std::nullopt;
  for (int tags = 0; tags < 2; tags++) {
    const uint32_t type = tp_be16(data + at);
    if ((type != TP_ETH_P_VLAN && type != TP_ETH_P_QINQ) || !there(6)) break;
    at += 4;
  }
  const uint32_t type = tp_be16(data + at);
  at += 2;
  place.ip = at;
  const uint8_t* ip = data + at;
  uint32_t length = 0;
  if (type == TP_ETH_P_IPV4 && there(20) && ip[0] >> 4 == 4) {
    const uint32_t header = (ip[0] & 15U) * 4;
    if (header < 20 || !there(header) || ip[9] != TP_PROTO_UDP || tp_be16(ip + 6) & 0x3fff)
      return std::nullopt;
    at += header;
    length = tp_be16(ip + 2);
  } else if (type == TP_ETH_P_IPV6 && there(40) && ip[0] >> 4 == 6) {
    if (ip[6] != TP_PROTO_UDP) return std::nullopt;
    place.ip_version = 6;
    at += 40;
    length = 40U + tp_be16(ip + 4);
  } else {
    return std::nullopt;
  }
  place.udp = at;
  if (!there(8)) return std::nullopt;
  const uint32_t datagram = tp_be16(data + at + 4);
  if (datagram < 8 || at + datagram > place.ip + length) return std::nullopt;
  place.end = at + datagram;
  place.whole = there(datagram);
  return place;
}

bool ChecksumsRight(absl::Span<const uint8_t> frame, const UdpPlace& place) {
  const uint8_t* ip = frame.data() + place.ip;
  const uint8_t* udp = frame.data() + place.udp;
  const uint32_t length = place.end - place.udp;
  if (place.ip_version == 4 && Fold(Words(ip, place.udp - place.ip)) != 0xffff) return false;
  if (place.ip_version == 4 && tp_load16(udp + 6) == 0) return true;  // none
  const uint64_t addresses = place.ip_version == 4 ? Words(ip + 12, 8) : Words(ip + 8, 32);
  const uint64_t rest =
      __builtin_bswap16(TP_PROTO_UDP) + uint64_t{__builtin_bswap16(static_cast<uint16_t>(length))};
  return Fold(addresses + rest + Words(udp, length)) == 0xffff;
}

uint64_t FlowHash(absl::Span<const uint8_t> frame, const UdpPlace& place) {
  const uint8_t* ip = frame.data() + place.ip;
  uint64_t hash = tp_load32(frame.data() + place.udp);
  const uint32_t first = place.ip_version == 4 ? 12 : 8, last = place.ip_version == 4 ? 20 : 40;
  for (uint32_t at = first; at < last; at += 8)
    hash = tp_mix(hash + TP_GOLDEN) ^ tp_load64(ip + at);
  return tp_mix(hash + TP_GOLDEN);
}

}  // namespace twinpath
