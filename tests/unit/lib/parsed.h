// SPDX-License-Identifier: BSD-3-Clause
// The parser's result for a frame, and the expected key. Every frame is copied into memory of
// exactly its size, so that AddressSanitizer sees a read past its end.

#ifndef TWINPATH_TESTS_UNIT_LIB_PARSED_H_
#define TWINPATH_TESTS_UNIT_LIB_PARSED_H_

#include <algorithm>
#include <cstring>
#include <memory>
#include <ostream>
#include <span>

#include "src/policy/parse.h"

inline bool operator==(const tp_key& a, const tp_key& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

inline void PrintTo(const tp_key& key, std::ostream* out) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&key);
  for (size_t i = 0; i < sizeof(key); i++) {
    *out << (i % 8 ? "" : " ") << "0123456789abcdef"[bytes[i] >> 4]
         << "0123456789abcdef"[bytes[i] & 15];
  }
}

namespace twinpath {

inline constexpr uint8_t kPort = 3;

struct Parsed {
  int result;
  tp_key key;
};

// `segment` is the first segment of a frame of `frame_len` bytes.
inline Parsed ParseSegment(std::span<const uint8_t> segment, size_t frame_len) {
  std::unique_ptr<uint8_t[]> exact(new uint8_t[segment.size()]);
  std::copy(segment.begin(), segment.end(), exact.get());
  Parsed parsed;
  parsed.result = tp_parse(exact.get(), exact.get() + segment.size(),
                           static_cast<uint32_t>(frame_len), kPort, &parsed.key);
  return parsed;
}

inline Parsed Parse(std::span<const uint8_t> frame) { return ParseSegment(frame, frame.size()); }

// Whether `part`, the key of a cut frame, agrees with `whole`, the key of the complete frame: all
// fields that were read are the same, and the others are unset.
inline bool IsReadOf(const tp_key& part, const tp_key& whole) {
  tp_key read = part;
  read.length = whole.length;
  if (part.vlan & TP_VLAN_UNREAD) {
    tp_key nothing;
    std::memset(&nothing, 0, sizeof(nothing));
    nothing.port = whole.port;
    nothing.flags = TP_KEY_UNREAD | (part.flags & TP_KEY_MALFORMED);
    nothing.vlan = TP_VLAN_UNREAD;
    nothing.length = whole.length;
    return std::memcmp(&read, &nothing, sizeof(read)) == 0;
  }
  tp_key same = whole;  // less what was not read
  same.flags &= static_cast<__u8>(~(TP_KEY_MALFORMED | TP_KEY_UNREAD));
  read.flags &= static_cast<__u8>(~(TP_KEY_MALFORMED | TP_KEY_UNREAD));
  if (!(part.flags & TP_KEY_IP)) {
    same.flags &= TP_KEY_VLAN | TP_KEY_INNER;
    same.ip_version = same.dscp_ecn = 0;
    std::memset(same.address, 0, sizeof(same.address));
  }
  if (part.flags & TP_KEY_UNREAD) {
    same.proto = 0;
    if (!(part.flags & TP_KEY_FRAGMENT)) same.flags &= static_cast<__u8>(~TP_KEY_FRAGMENT);
    same.flags &= static_cast<__u8>(~TP_KEY_LATER);
    if (part.shape > whole.shape) return false;
    same.shape = part.shape;
  }
  if (!(part.flags & TP_KEY_PORTS)) {
    same.flags &= static_cast<__u8>(~TP_KEY_PORTS);
    same.src_port = same.dst_port = 0;
    same.tcp_flags = 0;
  }
  return std::memcmp(&read, &same, sizeof(read)) == 0;
}

// The expected key, written in the order of the frame.
class Key {
 public:
  explicit Key(uint16_t ether_type) {
    std::memset(&key_, 0, sizeof(key_));
    key_.port = kPort;
    key_.ether_type = ether_type;
    key_.dst_mac[0] = key_.src_mac[0] = 2;
    key_.dst_mac[5] = 2;
    key_.src_mac[5] = 1;
  }
  // The key of a frame whose Ethernet header could not be read.
  static Key NoLink() {
    Key key(0);
    std::memset(&key.key_, 0, sizeof(key.key_));
    key.key_.port = kPort;
    key.key_.vlan = TP_VLAN_UNREAD;
    return key.Unread();
  }
  Key& Malformed() {
    key_.flags |= TP_KEY_MALFORMED;
    return *this;
  }
  Key& Unread() {
    key_.flags |= TP_KEY_UNREAD;
    return *this;
  }
  Key& Vlan(uint16_t vid) {
    key_.flags |= TP_KEY_VLAN;
    key_.vlan = vid;
    link_ = 18;
    return *this;
  }
  Key& Vlan(uint16_t vid, uint16_t inner) {
    Vlan(vid);
    key_.flags |= TP_KEY_INNER;
    key_.inner_vlan = inner;
    link_ = 22;
    return *this;
  }
  Key& Ipv4(uint8_t proto) {
    const uint8_t addresses[8] = {10, 1, 0, 1, 10, 2, 0, 2};
    std::memcpy(key_.address, addresses, 8);
    return Ip(4, proto, 20);
  }
  Key& Ipv6(uint8_t proto) {
    const uint8_t prefix[4] = {0x20, 1, 0x0d, 0xb8};
    std::memcpy(key_.address, prefix, 4);
    std::memcpy(key_.address + 16, prefix, 4);
    key_.address[15] = 1;
    key_.address[31] = 2;
    return Ip(6, proto, 40);
  }
  Key& Ports(uint16_t src = 1111, uint16_t dst = 2222) {
    key_.flags |= TP_KEY_PORTS;
    key_.src_port = __builtin_bswap16(src);
    key_.dst_port = __builtin_bswap16(dst);
    return *this;
  }
  Key& TcpFlags(uint8_t flags) {
    key_.tcp_flags = flags;
    return *this;
  }
  Key& DscpEcn(uint8_t byte) {
    key_.dscp_ecn = byte;
    return *this;
  }
  Key& First() {
    key_.flags |= TP_KEY_FRAGMENT;
    return *this;
  }
  Key& Later() {
    key_.flags |= TP_KEY_FRAGMENT | TP_KEY_LATER;
    return *this;
  }
  // Options or extension headers.
  Key& Further(uint16_t bytes) {
    key_.shape = static_cast<uint16_t>(key_.shape + bytes);
    return *this;
  }
  // The key of a frame of `length` bytes.
  tp_key Get(size_t length) const {
    tp_key key = key_;
    key.length = static_cast<uint16_t>(length);
    return key;
  }

 private:
  Key& Ip(uint8_t version, uint8_t proto, uint16_t header) {
    key_.flags |= TP_KEY_IP;
    key_.ip_version = version;
    key_.proto = proto;
    key_.shape = static_cast<uint16_t>(link_ + header);
    return *this;
  }
  tp_key key_;
  uint16_t link_ = 14;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_PARSED_H_
