// SPDX-License-Identifier: BSD-3-Clause
// Field by field: which bits of a parsed key a match asks for, and what they must be. A mask covers
// what is asked for and the flags that say whether the field holds, so that a zero field is not
// taken for an absent header. Pure functions.

#include "src/config/match_keys.h"

#include <arpa/inet.h>

#include <cstring>

namespace twinpath {
namespace {

void AskFlag(MatchKeys* keys, uint8_t flag) {
  keys->mask.flags |= flag;
  keys->value.flags |= flag;
}

void AskIpVersion(MatchKeys* keys, int version) {
  AskFlag(keys, TP_KEY_IP);
  keys->mask.ip_version = 0xff;
  keys->value.ip_version = static_cast<uint8_t>(version);
}

void AskAddress(MatchKeys* keys, const AddressPrefix& prefix, bool destination) {
  AskIpVersion(keys, prefix.version);
  size_t octets = prefix.version == 4 ? 4 : 16;
  size_t start = destination ? octets : 0;
  int left = prefix.length;
  for (size_t i = 0; i < octets; i++, left -= 8) {
    int bits = left < 0 ? 0 : left > 8 ? 8 : left;
    keys->mask.address[start + i] = static_cast<uint8_t>(0xff00 >> bits);
    keys->value.address[start + i] = prefix.octets[i];
  }
}

std::vector<PortPrefix> AskPorts(MatchKeys* keys, const std::optional<PortRange>& range) {
  if (!range) return {PortPrefix{}};
  AskFlag(keys, TP_KEY_PORTS);
  return CoverRange(*range);
}

}  // namespace

std::vector<PortPrefix> CoverRange(PortRange range) {
  std::vector<PortPrefix> prefixes;
  uint32_t next = range.first, last = range.last;
  while (next <= last) {
    // The largest block that starts here and does not reach beyond the end.
    uint32_t block = next ? next & -next : 0x10000;
    while (next + block - 1 > last) block >>= 1;
    prefixes.push_back({static_cast<uint16_t>(next), static_cast<uint16_t>(~(block - 1))});
    next += block;
  }
  return prefixes;
}

tp_key MatchKeys::Mask(const PortPrefix& src, const PortPrefix& dst) const {
  tp_key key = mask;
  key.src_port = htons(src.mask);
  key.dst_port = htons(dst.mask);
  return key;
}

tp_key MatchKeys::Value(const PortPrefix& src, const PortPrefix& dst) const {
  tp_key key = value;
  key.src_port = htons(src.value);
  key.dst_port = htons(dst.value);
  return key;
}

MatchKeys KeysOf(const MatchSpec& match, uint8_t port) {
  MatchKeys keys;
  if (match.port) {
    keys.mask.port = 0xff;
    keys.value.port = port;
  }
  if (match.ether_type) {
    keys.mask.ether_type = 0xffff;
    keys.value.ether_type = *match.ether_type;
  }
  if (match.vlan) {
    keys.mask.flags |= TP_KEY_VLAN;
    if (*match.vlan) {
      keys.value.flags |= TP_KEY_VLAN;
      keys.mask.vlan = 0xfff;
      keys.value.vlan = **match.vlan;
    }
  }
  if (match.src_mac) {
    std::memset(keys.mask.src_mac, 0xff, sizeof(keys.mask.src_mac));
    std::memcpy(keys.value.src_mac, match.src_mac->data(), sizeof(keys.value.src_mac));
  }
  if (match.dst_mac) {
    std::memset(keys.mask.dst_mac, 0xff, sizeof(keys.mask.dst_mac));
    std::memcpy(keys.value.dst_mac, match.dst_mac->data(), sizeof(keys.value.dst_mac));
  }
  if (match.ip_version) AskIpVersion(&keys, *match.ip_version);
  if (match.src) AskAddress(&keys, *match.src, false);
  if (match.dst) AskAddress(&keys, *match.dst, true);
  if (match.proto) {
    AskFlag(&keys, TP_KEY_IP);
    keys.mask.proto = 0xff;
    keys.value.proto = *match.proto;
  }
  keys.src_ports = AskPorts(&keys, match.src_port);
  keys.dst_ports = AskPorts(&keys, match.dst_port);
  return keys;
}

bool AsksNothingOfFrame(const MatchSpec& match) {
  return !match.ether_type && !match.vlan && !match.src_mac && !match.dst_mac &&
         !match.ip_version && !match.src && !match.dst && !match.proto && !match.src_port &&
         !match.dst_port;
}

}  // namespace twinpath
