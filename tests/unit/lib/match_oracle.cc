// SPDX-License-Identifier: BSD-3-Clause
// An independent implementation of matching, and random keys and matches. One thread.

#include "tests/unit/lib/match_oracle.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "src/policy/parse.h"

namespace twinpath {
namespace {

// A field of the key, by its meaning in the policy, without any knowledge of masks.
bool InPrefix(const AddressPrefix& prefix, const tp_key& key, bool destination) {
  if (key.ip_version != prefix.version) return false;
  const uint8_t* address = key.address + (destination ? (prefix.version == 4 ? 4 : 16) : 0);
  for (int bit = 0; bit < prefix.length; bit++) {
    int shift = 7 - bit % 8;
    if ((address[bit / 8] >> shift & 1) != (prefix.bytes[bit / 8] >> shift & 1)) return false;
  }
  return true;
}

bool InRange(const PortRange& range, const tp_key& key, uint16_t network_order) {
  uint16_t port = ntohs(network_order);
  return (key.flags & TP_KEY_PORTS) && port >= range.first && port <= range.last;
}

bool IsMac(const MacMatch& match, const uint8_t* mac) {
  for (size_t i = 0; i < 6; i++) {
    if ((mac[i] ^ match.address[i]) & match.mask[i]) return false;
  }
  return true;
}

bool HasTags(const VlanMatch& vlan, const tp_key& key) {
  std::vector<uint16_t> tags;  // as many as the parser reads
  if (key.flags & TP_KEY_VLAN) tags.push_back(key.vlan);
  if (key.flags & TP_KEY_INNER) tags.push_back(key.inner_vlan);
  if (tags.size() < vlan.tags.size()) return false;
  if (vlan.whole && tags.size() > vlan.tags.size()) return false;
  for (size_t i = 0; i < vlan.tags.size(); i++) {
    if (vlan.tags[i] && *vlan.tags[i] != tags[i]) return false;
  }
  return true;
}

bool IsFragment(FragmentMatch fragment, const tp_key& key) {
  const bool any = key.flags & TP_KEY_FRAGMENT, later = key.flags & TP_KEY_LATER;
  switch (fragment) {
    case FragmentMatch::kNone:
      return !any && !(key.flags & TP_KEY_UNREAD);
    case FragmentMatch::kAny:
      return any;
    case FragmentMatch::kFirst:
      return any && !later;
    case FragmentMatch::kLater:
      return later;
  }
  return false;
}

}  // namespace

bool Matches(const MatchSpec& match, const tp_key& key, const std::vector<std::string>& ports) {
  if (match.port && ports[key.port] != *match.port) return false;
  const bool asks_link = match.ether_type || match.vlan || match.src_mac || match.dst_mac;
  if (asks_link && key.vlan == TP_VLAN_UNREAD) return false;
  if (match.ether_type && key.ether_type != *match.ether_type) return false;
  if (match.vlan && !HasTags(*match.vlan, key)) return false;
  if (match.src_mac && !IsMac(*match.src_mac, key.src_mac)) return false;
  if (match.dst_mac && !IsMac(*match.dst_mac, key.dst_mac)) return false;
  if (match.ip_version && key.ip_version != *match.ip_version) return false;
  if (match.src && !InPrefix(*match.src, key, false)) return false;
  if (match.dst && !InPrefix(*match.dst, key, true)) return false;
  if (match.proto && (!key.ip_version || key.proto != *match.proto)) return false;
  if (match.proto && key.flags & TP_KEY_UNREAD) return false;
  if (match.src_port && !InRange(*match.src_port, key, key.src_port)) return false;
  if (match.dst_port && !InRange(*match.dst_port, key, key.dst_port)) return false;
  if (match.tcp_flags) {
    if (key.proto != TP_PROTO_TCP || !(key.flags & TP_KEY_PORTS)) return false;
    if ((key.tcp_flags & match.tcp_flags->set) != match.tcp_flags->set) return false;
    if (key.tcp_flags & match.tcp_flags->clear) return false;
  }
  if (match.dscp && (!key.ip_version || key.dscp_ecn / 4 != *match.dscp)) return false;
  if (match.ecn && (!key.ip_version || key.dscp_ecn % 4 != *match.ecn)) return false;
  if (match.fragment && !IsFragment(*match.fragment, key)) return false;
  if (match.length && (key.length < match.length->first || key.length > match.length->last)) {
    return false;
  }
  return !match.malformed || *match.malformed == ((key.flags & TP_KEY_MALFORMED) != 0);
}

tp_key MatchGenerator::Key() {
  FrameBuilder frame;
  frame.Mac({2, 0, 0, 0, 0, Byte()}, {2, 0, 0, 0, 1, Byte()});
  for (uint32_t tags = Below(3); tags > 0; tags--) frame.Vlan(static_cast<uint16_t>(Below(3)));
  switch (Below(5)) {
    case 0:
      frame.EtherType(0x0806).Payload(28);
      break;
    case 1:
    case 2:
      Ipv4(&frame);
      break;
    default:
      Ipv6(&frame);
  }
  std::vector<uint8_t> bytes = frame.Build();
  const bool cut = OneIn(10);
  if (cut) bytes.resize(Below(static_cast<uint32_t>(bytes.size())));
  tp_key key;
  const int result =
      tp_parse(bytes.data(), bytes.data() + bytes.size(), static_cast<uint32_t>(bytes.size()),
               static_cast<uint8_t>(Below(3)), &key);
  EXPECT_TRUE(cut || result == TP_PARSED) << result;
  return key;
}

void MatchGenerator::Ipv4(FrameBuilder* frame) {
  frame->Ipv4().Ipv4Addresses(0x0a000000 | Below(4) << 14 | Below(4), 0x0a000000 | Below(4) << 7);
  frame->Patch(1, {static_cast<uint8_t>(Below(256))});  // type of service
  if (OneIn(4)) frame->Options(8);
  if (OneIn(4)) frame->Fragment(static_cast<uint16_t>(Below(2)), true);
  Transport(frame);
}

void MatchGenerator::Ipv6(FrameBuilder* frame) {
  const uint8_t traffic_class = static_cast<uint8_t>(Below(256));
  frame->Ipv6().Patch(0, {static_cast<uint8_t>(0x60 | traffic_class >> 4),
                          static_cast<uint8_t>(traffic_class << 4)});
  if (OneIn(3)) frame->HopByHop();
  if (OneIn(3)) frame->DestinationOptions(1);
  Transport(frame);
}

MatchSpec MatchGenerator::Match(const tp_key& key) {
  MatchSpec match;
  const bool exact = !OneIn(4);
  auto ask = [&] { return OneIn(4); };
  if (ask()) match.port = ports_[exact ? key.port : Below(3)];
  if (ask()) match.ether_type = exact ? key.ether_type : uint16_t{0x0806};
  if (ask()) {
    match.vlan = VlanMatch{true, {}};
    if (exact ? key.flags & TP_KEY_VLAN : OneIn(2))
      match.vlan = VlanMatch{false, {key.vlan & 0xfff}};
  }
  if (ask()) match.src_mac = Mac(key.src_mac);
  if (ask()) match.dst_mac = Mac(exact ? key.dst_mac : key.src_mac);
  if (ask()) match.ip_version = exact && key.ip_version ? key.ip_version : 6;
  if (ask()) match.src = Prefix(key, false);
  if (ask()) match.dst = Prefix(key, true);
  // If the two contradict each other, the policy is wrong, and is refused before it is compiled.
  if (match.ip_version && match.src) match.ip_version = match.src->version;
  if (match.ip_version && match.dst) match.ip_version = match.dst->version;
  if (ask()) match.proto = exact ? key.proto : uint8_t{17};
  if (ask()) match.src_port = Range(key.src_port);
  if (ask()) match.dst_port = Range(key.dst_port);
  AddHeaderFields(key, &match);
  return match;
}

void MatchGenerator::AddHeaderFields(const tp_key& key, MatchSpec* match) {
  auto ask = [&] { return OneIn(8); };
  if (ask()) {
    const uint8_t asked = static_cast<uint8_t>(Below(256)) & static_cast<uint8_t>(Below(256));
    const uint8_t other = OneIn(4) ? 1 : 0;
    match->tcp_flags = FlagsMatch{static_cast<uint8_t>(asked & (key.tcp_flags ^ other)),
                                  static_cast<uint8_t>(asked & ~(key.tcp_flags ^ other))};
  }
  // With anything else besides it, the policy is wrong, and is refused before.
  if (match->tcp_flags && match->proto) match->proto = TP_PROTO_TCP;
  if (ask()) match->dscp = static_cast<uint8_t>(OneIn(4) ? Below(64) : key.dscp_ecn >> 2);
  if (ask()) match->ecn = static_cast<uint8_t>(OneIn(4) ? Below(4) : key.dscp_ecn & 3);
  if (ask()) match->fragment = static_cast<FragmentMatch>(Below(4));
  if (ask()) match->malformed = ((key.flags & TP_KEY_MALFORMED) != 0) != OneIn(4);
}

void MatchGenerator::AddLaterFields(const tp_key& key, MatchSpec* match) {
  if (OneIn(2)) {
    VlanMatch& vlan = match->vlan.emplace();
    for (uint32_t tags = Below(3); tags > 0; tags--) {
      const uint16_t vid = vlan.tags.empty() ? key.vlan & 0xfff : key.inner_vlan;
      vlan.tags.push_back(OneIn(3) ? std::nullopt : std::optional<uint16_t>(vid));
    }
    vlan.whole = vlan.tags.size() != 1 || OneIn(2);
  }
  if (OneIn(2)) {
    const uint32_t first = key.length - std::min<uint32_t>(key.length, Below(100));
    match->length = LengthRange{static_cast<uint16_t>(first + (OneIn(4) ? 100 : 0)),
                                static_cast<uint16_t>(first + 100 + Below(1000))};
  }
}

MacMatch MatchGenerator::Mac(const uint8_t* address) {
  MacMatch mac;
  for (size_t i = 0; i < 6; i++) {
    mac.mask[i] = OneIn(8) ? uint8_t{0xfe} : uint8_t{0xff};
    mac.address[i] = address[i] & mac.mask[i];
  }
  return mac;
}

void MatchGenerator::Transport(FrameBuilder* frame) {
  switch (Below(4)) {
    case 0:
      frame->Udp(Port(), Port());
      break;
    case 1:
      frame->Tcp(Port(), Port(), static_cast<uint8_t>(Below(256)));
      break;
    case 2:
      frame->Icmp();
      break;
    default:
      break;
  }
  frame->Payload(40);
}

AddressPrefix MatchGenerator::Prefix(const tp_key& key, bool destination) {
  AddressPrefix prefix;
  prefix.version = key.ip_version == 6 ? 6 : 4;
  const int full = prefix.version == 4 ? 32 : 128;
  prefix.length = OneIn(3) ? full : static_cast<int>(Below(static_cast<uint32_t>(full) + 1));
  size_t bytes = static_cast<size_t>(full) / 8;
  std::memcpy(prefix.bytes.data(), key.address + (destination ? bytes : 0), bytes);
  for (int bit = prefix.length; bit < full; bit++) {
    prefix.bytes[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
  }
  return prefix;
}

PortRange MatchGenerator::Range(uint16_t network_order) {
  uint32_t port = ntohs(network_order);
  if (OneIn(2)) return {static_cast<uint16_t>(port), static_cast<uint16_t>(port)};
  uint32_t first = port - Below(std::min(port, 1200u) + 1);
  return {static_cast<uint16_t>(first),
          static_cast<uint16_t>(std::min(65535u, port + Below(1200)))};
}

}  // namespace twinpath
