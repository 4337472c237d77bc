// SPDX-License-Identifier: BSD-3-Clause
// Computes, field by field, the bits of a parsed key that a match tests, and their values. A mask
// covers the tested bits and the flags that say whether the field was read, so that a zero in a
// field differs from a header that is missing or could not be read. Pure functions.

#include "src/config/compile/match_keys.h"

#include <arpa/inet.h>

#include <cstring>
#include <set>

#include "src/policy/parse.h"

namespace twinpath {
namespace {

void RequireFlag(MatchKeys* keys, uint8_t flag) {
  keys->mask.flags |= flag;
  keys->value.flags |= flag;
}

// Requires that the Ethernet header and its tags were read.
void RequireLink(MatchKeys* keys) { keys->mask.vlan |= TP_VLAN_UNREAD; }

// Requires that the headers were read up to the upper-layer protocol.
void RequireReadToProto(MatchKeys* keys) { keys->mask.flags |= TP_KEY_UNREAD; }

void RequireIpVersion(MatchKeys* keys, int version) {
  RequireFlag(keys, TP_KEY_IP);
  keys->mask.ip_version = 0xff;
  keys->value.ip_version = static_cast<uint8_t>(version);
}

void RequireAddress(MatchKeys* keys, const AddressPrefix& prefix, bool destination) {
  RequireIpVersion(keys, prefix.version);
  size_t bytes = prefix.version == 4 ? 4 : 16;
  size_t start = destination ? bytes : 0;
  int left = prefix.length;
  for (size_t i = 0; i < bytes; i++, left -= 8) {
    int bits = left < 0 ? 0 : left > 8 ? 8 : left;
    keys->mask.address[start + i] = static_cast<uint8_t>(0xff00 >> bits);
    keys->value.address[start + i] = prefix.bytes[i];
  }
}

std::vector<RangePrefix> RequirePorts(MatchKeys* keys, const std::optional<PortRange>& range) {
  if (!range) return {RangePrefix{}};
  RequireFlag(keys, TP_KEY_PORTS);
  return CoverRange(range->first, range->last);
}

// The parser reads two tags, so a key cannot show a third one.
void RequireVlan(MatchKeys* keys, const VlanMatch& vlan) {
  const size_t tags = vlan.tags.size();
  RequireLink(keys);
  keys->mask.flags |= TP_KEY_VLAN;
  if (tags > 1 || (tags == 1 && vlan.whole)) keys->mask.flags |= TP_KEY_INNER;
  if (tags > 0) keys->value.flags |= TP_KEY_VLAN;
  if (tags > 1) keys->value.flags |= TP_KEY_INNER;
  if (tags > 0 && vlan.tags[0]) {
    keys->mask.vlan |= 0xfff;
    keys->value.vlan = *vlan.tags[0];
  }
  if (tags > 1 && vlan.tags[1]) {
    keys->mask.inner_vlan = 0xfff;
    keys->value.inner_vlan = *vlan.tags[1];
  }
}

void RequireMac(const std::optional<MacMatch>& mac, MatchKeys* keys, uint8_t (*mask)[6],
                uint8_t (*value)[6]) {
  if (!mac) return;
  RequireLink(keys);
  std::memcpy(*mask, mac->mask.data(), sizeof(*mask));
  std::memcpy(*value, mac->address.data(), sizeof(*value));
}

void RequireTcpFlags(MatchKeys* keys, const FlagsMatch& flags) {
  RequireFlag(keys, TP_KEY_IP);
  RequireFlag(keys, TP_KEY_PORTS);  // excludes later fragments, which have no TCP header
  keys->mask.proto = 0xff;
  keys->value.proto = TP_PROTO_TCP;
  keys->mask.tcp_flags = flags.set | flags.clear;
  keys->value.tcp_flags = flags.set;
}

void RequireTrafficClass(MatchKeys* keys, uint8_t mask, uint8_t value) {
  RequireFlag(keys, TP_KEY_IP);
  keys->mask.dscp_ecn |= mask;
  keys->value.dscp_ecn |= value;
}

void RequireFragment(MatchKeys* keys, FragmentMatch fragment) {
  keys->mask.flags |= TP_KEY_FRAGMENT;
  if (fragment == FragmentMatch::kNone) {
    RequireReadToProto(keys);  // a fragment header may follow
    return;
  }
  keys->value.flags |= TP_KEY_FRAGMENT;
  if (fragment == FragmentMatch::kAny) return;
  keys->mask.flags |= TP_KEY_LATER;
  if (fragment == FragmentMatch::kLater) keys->value.flags |= TP_KEY_LATER;
}

size_t Masks(const std::vector<RangePrefix>& prefixes) {
  std::set<uint16_t> masks;
  for (const RangePrefix& prefix : prefixes) masks.insert(prefix.mask);
  return masks.size();
}

}  // namespace

std::vector<RangePrefix> CoverRange(uint16_t first, uint16_t last) {
  std::vector<RangePrefix> prefixes;
  uint32_t next = first;
  while (next <= last) {
    // The largest block that starts here and ends within the range.
    uint32_t block = next ? next & -next : 0x10000;
    while (next + block - 1 > last) block >>= 1;
    prefixes.push_back({static_cast<uint16_t>(next), static_cast<uint16_t>(~(block - 1))});
    next += block;
  }
  return prefixes;
}

size_t MatchKeys::size() const { return src_ports.size() * dst_ports.size() * lengths.size(); }

size_t MatchKeys::shapes() const { return Masks(src_ports) * Masks(dst_ports) * Masks(lengths); }

tp_key MatchKeys::Key(size_t i, tp_key key, uint16_t RangePrefix::*side) const {
  key.length = lengths[i % lengths.size()].*side;
  i /= lengths.size();
  key.dst_port = htons(dst_ports[i % dst_ports.size()].*side);
  key.src_port = htons(src_ports[i / dst_ports.size()].*side);
  return key;
}

MatchKeys KeysOf(const MatchSpec& match, uint8_t port) {
  MatchKeys keys;
  if (match.port) {
    keys.mask.port = 0xff;
    keys.value.port = port;
  }
  if (match.ether_type) {
    RequireLink(&keys);
    keys.mask.ether_type = 0xffff;
    keys.value.ether_type = *match.ether_type;
  }
  if (match.vlan) RequireVlan(&keys, *match.vlan);
  RequireMac(match.src_mac, &keys, &keys.mask.src_mac, &keys.value.src_mac);
  RequireMac(match.dst_mac, &keys, &keys.mask.dst_mac, &keys.value.dst_mac);
  if (match.ip_version) RequireIpVersion(&keys, *match.ip_version);
  if (match.src) RequireAddress(&keys, *match.src, false);
  if (match.dst) RequireAddress(&keys, *match.dst, true);
  if (match.proto) {
    RequireFlag(&keys, TP_KEY_IP);
    RequireReadToProto(&keys);
    keys.mask.proto = 0xff;
    keys.value.proto = *match.proto;
  }
  if (match.tcp_flags) RequireTcpFlags(&keys, *match.tcp_flags);
  if (match.dscp) RequireTrafficClass(&keys, 0xfc, static_cast<uint8_t>(*match.dscp << 2));
  if (match.ecn) RequireTrafficClass(&keys, 0x03, *match.ecn);
  if (match.fragment) RequireFragment(&keys, *match.fragment);
  if (match.malformed) {
    keys.mask.flags |= TP_KEY_MALFORMED;
    if (*match.malformed) keys.value.flags |= TP_KEY_MALFORMED;
  }
  keys.src_ports = RequirePorts(&keys, match.src_port);
  keys.dst_ports = RequirePorts(&keys, match.dst_port);
  keys.lengths = {RangePrefix{}};
  if (match.length) keys.lengths = CoverRange(match.length->first, match.length->last);
  return keys;
}

bool MatchesEveryFrame(const MatchSpec& match) {
  return !match.ether_type && !match.vlan && !match.src_mac && !match.dst_mac &&
         !match.ip_version && !match.src && !match.dst && !match.proto && !match.src_port &&
         !match.dst_port && !match.tcp_flags && !match.dscp && !match.ecn && !match.fragment &&
         !match.length && !match.malformed;
}

}  // namespace twinpath
