// SPDX-License-Identifier: BSD-3-Clause
// The hash of packets and flows is SipHash-1-3 of the bytes that packet.h and flow.h name: by the
// official vectors, by another implementation's, and by a model that is written differently.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"
#include "tests/unit/lib/siphash_model.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Counting(size_t length) {
  Bytes bytes(length);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

// The key 00 01 ... 0f, as the paper's appendix has it.
constexpr uint64_t kA = 0x0706050403020100, kB = 0x0f0e0d0c0b0a0908;

uint64_t Hash(const Bytes& message, uint64_t a = kA, uint64_t b = kB) {
  tp_sip sip = tp_sip_begin(a, b);
  const size_t whole = message.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) tp_sip_word(&sip, tp_load64(&message[at]));
  uint64_t rest = 0;
  for (size_t i = message.size(); i > whole; i--) rest = rest << 8 | message[i - 1];
  return tp_sip_end(&sip, rest, message.size());
}

// Results of the reference implementation of SipHash-2-4, for the messages 00 01 02 ... of 0 to 15
// and 63 bytes. They check the round; the variants of SipHash differ only in the number of rounds.
TEST(SipHash, TheRoundIsThatOfTheOfficialVectors) {
  const std::array<uint64_t, 16> expected = {
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  for (size_t n = 0; n < expected.size(); n++)
    EXPECT_EQ(SipHashModel(2, 4, kA, kB).Hash(Counting(n)), expected[n]) << n;
  EXPECT_EQ(SipHashModel(2, 4, kA, kB).Hash(Counting(63)), 0x958a324ceb064572u);
  // The same of our round: one word, of a message of 0 bytes.
  tp_sip sip = tp_sip_begin(kA, kB);
  for (int i = 0; i < 2; i++) tp_sip_round(&sip);
  sip.v2 ^= 0xff;
  for (int i = 0; i < 4; i++) tp_sip_round(&sip);
  EXPECT_EQ(sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3, 0x726fdb47dd0e0e31u);
}

// By OpenSSL 3.0: openssl mac -macopt hexkey:00...0f -macopt size:8 -macopt c-rounds:1
// -macopt d-rounds:3 SIPHASH, whose output is in little-endian order.
TEST(SipHash, OneAndThreeRoundsAreGolden) {
  const std::array<uint64_t, 16> expected = {
      0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
      0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
      0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
      0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956};
  for (size_t n = 0; n < expected.size(); n++) EXPECT_EQ(Hash(Counting(n)), expected[n]) << n;
  EXPECT_EQ(Hash(Counting(31)), 0x2370dd1f8c21d1bcu);
  EXPECT_EQ(Hash(Counting(32)), 0x81157b6c16a7b60du);
  EXPECT_EQ(Hash(Counting(37)), 0xb6101c2da3c33057u);
  EXPECT_EQ(Hash(Counting(63)), 0x9d199062b7bbb3a8u);
}

TEST(SipHash, IsTheModelsForAnyMessageAndKey) {
  for (size_t length = 0; length < 200; length++) {
    Bytes message(length);
    for (size_t i = 0; i < length; i++) message[i] = static_cast<uint8_t>(tp_word(1, length, i));
    const uint64_t a = tp_word(2, length, 0), b = tp_word(2, length, 1);
    EXPECT_EQ(Hash(message, a, b), SipHashModel(1, 3, a, b).Hash(message)) << length;
  }
}

tp_key KeyOf(const Bytes& frame) {
  tp_key key;
  EXPECT_EQ(tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()),
                     0, &key),
            TP_PARSED);
  return key;
}

uint64_t PacketHash(Bytes frame) {
  const tp_key key = KeyOf(frame);
  tp_datapath datapath = {};
  datapath.data = frame.data();
  datapath.end = frame.data() + frame.size();
  return tp_packet_hash(&datapath, &key, 1, 2);
}

// Returns the bytes that are hashed according to packet.h. `ip` is the offset of the IP header.
// `behind` are the bytes from the end of the IP headers to the end of the datagram, and `checksum`
// is the offset of the checksum in them, or -1.
Bytes Message(const Bytes& frame, size_t ip, size_t behind, int checksum, bool later) {
  const bool v6 = frame[ip] >> 4 == 6;
  Bytes message = {static_cast<uint8_t>(v6 ? 6 : 4), KeyOf(frame).proto,
                   static_cast<uint8_t>(later ? 0x10 : 0), 0};
  const Bytes fields = v6 ? Bytes(4)
                          : Bytes{frame[ip + 7], static_cast<uint8_t>(frame[ip + 6] & 0x1f),
                                  frame[ip + 5], frame[ip + 4]};
  message.insert(message.end(), fields.begin(), fields.end());
  const auto addresses = frame.begin() + static_cast<long>(ip + (v6 ? 8 : 12));
  message.insert(message.end(), addresses, addresses + (v6 ? 32 : 8));
  for (size_t i = 0; i < 64 && behind + i < frame.size(); i++) {
    const int into = static_cast<int>(i) - checksum;
    message.push_back(checksum >= 0 && (into == 0 || into == 1) ? 0 : frame[behind + i]);
  }
  return message;
}

TEST(PacketHash, IsSipHashOfTheBytesThatAreNamed) {
  using F = FrameBuilder;
  for (size_t payload : {0, 1, 3, 4, 7, 8, 44, 55, 56, 57, 200}) {
    const auto expect = [payload](FrameBuilder frame, size_t ip, size_t behind, int checksum,
                                  bool later = false) {
      const Bytes bytes = frame.Payload(payload).Build();
      EXPECT_EQ(PacketHash(bytes),
                SipHashModel(1, 3, 1, 2).Hash(Message(bytes, ip, behind, checksum, later)))
          << "payload of " << payload << " behind " << behind;
    };
    expect(F().Ipv4().Udp(), 14, 34, 6);
    expect(F().Vlan(5).Ipv4().Options(8).Tcp(), 18, 46, 16);
    expect(F().Ipv4().Icmp(), 14, 34, 2);
    expect(F().Ipv4(), 14, 34, -1);
    expect(F().Ipv4(17).Fragment(0x1234, true), 14, 34, -1, true);
    expect(F().Vlan(7).Vlan(5).Ipv6().Udp(), 22, 62, 6);
    expect(F().Ipv6().HopByHop(2).Tcp(), 14, 78, 16);
    expect(F().Ipv6().Icmpv6(), 14, 54, 2);
    const Bytes other = F().Payload(payload).Build();
    Bytes message(8);
    message.insert(message.end(), other.begin(),
                   other.begin() + static_cast<long>(std::min<size_t>(other.size(), 64)));
    EXPECT_EQ(PacketHash(other), SipHashModel(1, 3, 1, 2).Hash(message)) << payload;
  }
}

uint64_t ModelsHash(const Bytes& message) { return SipHashModel(1, 3, 1, 2).Hash(message); }

TEST(PacketHash, NoBitOfAFrameThatIsNotIpIsTakenForAChecksum) {
  const Bytes frame = FrameBuilder().Bytes(Bytes(60, 0xff)).Build();
  Bytes message(8);
  message.insert(message.end(), frame.begin(), frame.begin() + 64);
  EXPECT_EQ(PacketHash(frame), ModelsHash(message));
}

TEST(PacketHash, IsOfTheDatagramWithoutItsPadding) {
  using F = FrameBuilder;
  // An IPv6 payload of 256 bytes, whose low byte and next header are both 0.
  const F even = F().Ipv6().HopByHop(29).Udp().Payload(8);
  const Bytes frame = even.Build();
  ASSERT_EQ(frame[18] << 8 | frame[19], 256);
  EXPECT_EQ(PacketHash(F(even).Padding(30).Build()),
            ModelsHash(Message(frame, 14, 54 + 240, 6, false)));
}

// RFC 2675: the IPv6 payload length is 0. The first segment has the 64 bytes.
TEST(PacketHash, AJumbogramIsLongerThanWhatIsHashed) {
  Bytes frame = FrameBuilder().Ipv6().Jumbo(70000).Tcp().Payload(100).Build();
  tp_key key;
  ASSERT_EQ(tp_parse(frame.data(), frame.data() + frame.size(), 54 + 70000, 0, &key), TP_PARSED);
  tp_datapath datapath = {};
  datapath.data = frame.data();
  datapath.end = frame.data() + frame.size();
  Bytes message = {6, 6, 0, 0, 0, 0, 0, 0};
  message.insert(message.end(), frame.begin() + 22, frame.begin() + 54);
  message.insert(message.end(), frame.begin() + 62, frame.begin() + 62 + 64);
  message[40 + 16] = message[40 + 17] = 0;
  EXPECT_EQ(tp_packet_hash(&datapath, &key, 1, 2), ModelsHash(message));
}

TEST(PacketHash, NothingBeyondByte1024IsHashed) {
  Bytes frame = FrameBuilder().Ipv6().DestinationOptions(130).Udp().Build();
  tp_key key;
  ASSERT_EQ(tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()),
                     0, &key),
            TP_PARSE_TOO_DEEP);
  tp_datapath datapath = {};
  datapath.data = frame.data();
  datapath.end = frame.data() + frame.size();
  Bytes message = {6, 17, 0, 0, 0, 0, 0, 0};
  message.insert(message.end(), frame.begin() + 22, frame.begin() + 54);
  EXPECT_EQ(tp_packet_hash(&datapath, &key, 1, 2), ModelsHash(message));
}

// Golden, by OpenSSL as above, from the bytes that flow.h names; key 1, 2.
TEST(FlowOf, IsSipHashOfTheBytesThatAreNamed) {
  const auto flow = [](const FrameBuilder& frame, int both_ways) {
    const tp_key key = KeyOf(frame.Build());
    return tp_flow_of(&key, both_ways, 1, 2);
  };
  const auto there = FrameBuilder().Ipv4().Ipv4Addresses(0x0a000001, 0x0a000002).Udp(5, 6);
  const auto back = FrameBuilder().Ipv4().Ipv4Addresses(0x0a000002, 0x0a000001).Udp(6, 5);
  const auto tcp6 = FrameBuilder().Ipv6().Tcp(5, 6);
  const auto other = FrameBuilder().Payload(46);
  EXPECT_EQ(flow(there, 0), 0x269ecb8e0e36762bu);
  EXPECT_EQ(flow(back, 0), 0x9e0934593fb71b51u);
  EXPECT_EQ(flow(there, 1), 0x269ecb8e0e36762bu) << "10.0.0.1 is the lower number";
  EXPECT_EQ(flow(back, 1), 0x269ecb8e0e36762bu);
  EXPECT_EQ(flow(tcp6, 0), 0x2772c77301d1b80bu);
  EXPECT_EQ(flow(other, 0), 0xc1573dc1edf582f8u);
}

// The two ends of a flow.
struct Ends {
  Bytes source, destination;  // addresses; if not IP, MAC addresses
  uint16_t source_port, destination_port;
};

// Whether bytes are the lower number: in halves of 8 bytes, each from its last byte on.
bool IsLower(const Bytes& a, const Bytes& b) {
  for (size_t half = 0; half < a.size(); half += 8) {
    for (size_t i = std::min(half + 8, a.size()); i > half; i--)
      if (a[i - 1] != b[i - 1]) return a[i - 1] < b[i - 1];
  }
  return false;
}

Bytes PortBytes(uint16_t port) {
  return {static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
}

bool IsBackwards(const Ends& e) {
  if (e.source != e.destination) return IsLower(e.destination, e.source);
  return IsLower(PortBytes(e.destination_port), PortBytes(e.source_port));
}

// Protocol 6, or EtherType 0x88b5 for ends of 6 bytes.
Bytes FlowMessage(Ends e, bool both_ways) {
  if (both_ways && IsBackwards(e)) {
    std::swap(e.source, e.destination);
    std::swap(e.source_port, e.destination_port);
  }
  Bytes message = e.source;
  const auto append = [&message](const Bytes& more) {
    message.insert(message.end(), more.begin(), more.end());
  };
  if (e.source.size() == 6) append({0xb5, 0x88});
  append(e.destination);
  if (e.source.size() == 6) return message;
  append(PortBytes(e.source_port));
  append(PortBytes(e.destination_port));
  append({6});
  return message;
}

tp_key FlowKey(const Ends& e) {
  tp_key key;
  std::memset(&key, 0, sizeof(key));
  // What is not part of a flow, where it stands beside what is.
  key.length = key.shape = key.inner_vlan = 0xffff;
  key.tcp_flags = key.dscp_ecn = 0xff;
  if (e.source.size() == 6) {
    key.ether_type = 0x88b5;
    std::copy(e.source.begin(), e.source.end(), key.src_mac);
    std::copy(e.destination.begin(), e.destination.end(), key.dst_mac);
    return key;
  }
  key.ip_version = e.source.size() == 4 ? 4 : 6;
  key.flags = TP_KEY_IP | TP_KEY_PORTS;
  key.proto = 6;
  std::copy(e.source.begin(), e.source.end(), key.address);
  std::copy(e.destination.begin(), e.destination.end(), key.address + e.source.size());
  key.src_port = __builtin_bswap16(e.source_port);
  key.dst_port = __builtin_bswap16(e.destination_port);
  return key;
}

// Ends that differ in one bit of any byte, and in ports alone.
std::vector<Ends> PairsOfEnds(size_t size) {
  std::vector<Bytes> addresses = {Bytes(size, 0x5a)};
  for (size_t i = 0; i < size; i++) {
    for (uint8_t flip : {1, 0x80}) {
      addresses.push_back(addresses[0]);
      addresses.back()[i] ^= flip;
    }
  }
  std::vector<Ends> ends;
  for (const Bytes& source : addresses) {
    for (const Bytes& destination : addresses) ends.push_back({source, destination, 1111, 2222});
  }
  if (size == 6) return ends;
  for (uint16_t a : {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xff00, 0xffff}) {
    for (uint16_t b : {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xff00, 0xffff})
      ends.push_back({addresses[0], addresses[0], a, b});
  }
  return ends;
}

TEST(FlowOf, IsTheModelsForAnyEnds) {
  for (size_t size : {4, 6, 16}) {
    for (const Ends& ends : PairsOfEnds(size)) {
      const tp_key key = FlowKey(ends);
      for (bool both_ways : {false, true}) {
        ASSERT_EQ(tp_flow_of(&key, both_ways, 1, 2),
                  SipHashModel(1, 3, 1, 2).Hash(FlowMessage(ends, both_ways)))
            << size << " " << both_ways;
      }
    }
  }
}

TEST(FlowOf, WithoutPortsTheyAreZero) {
  const Ends ends = {Bytes(4, 1), Bytes(4, 2), 0, 0};
  const uint64_t expected = SipHashModel(1, 3, 1, 2).Hash(FlowMessage(ends, false));
  tp_key key = FlowKey({ends.source, ends.destination, 1111, 2222});
  EXPECT_NE(tp_flow_of(&key, 0, 1, 2), expected);
  const int without_ports[] = {TP_KEY_IP, TP_KEY_IP | TP_KEY_PORTS | TP_KEY_FRAGMENT,
                               TP_KEY_IP | TP_KEY_FRAGMENT | TP_KEY_LATER};
  for (int flags : without_ports) {
    key.flags = static_cast<uint8_t>(flags);
    EXPECT_EQ(tp_flow_of(&key, 0, 1, 2), expected) << flags;
  }
}

// Under a rule's key, both ways only if the rule says so.
TEST(FlowOf, ARuleSaysWhetherBothWaysAreOne) {
  const Ends there = {{10, 0, 0, 2}, {10, 0, 0, 1}, 5, 6};
  const tp_key key = FlowKey(there);
  tp_rule rule = {};
  rule.key_a = 1;
  rule.key_b = 2;
  for (int flags = 0; flags < 32; flags++) {
    rule.flags = static_cast<uint8_t>(flags);
    EXPECT_EQ(tp_flow_key(&rule, &key),
              ModelsHash(FlowMessage(there, (flags & TP_RULE_BOTH_WAYS) != 0)))
        << flags;
  }
}

// Each epoch moves the flow by SplitMix64's golden ratio.
TEST(FlowOf, AnEpochIsPartOfTheFlowsPlace) {
  tp_rule rule = {};
  EXPECT_EQ(tp_flow_place({4, 64}, &rule, 1000).key, 1000u);
  rule.epoch = 1;
  EXPECT_EQ(tp_flow_place({4, 64}, &rule, 1000).key, 0x9e3779b97f4a7c15u + 1000);
  rule.epoch = 3;
  EXPECT_EQ(tp_flow_place({4, 64}, &rule, 1000).key, 3 * 0x9e3779b97f4a7c15u + 1000);
}

// "flows": a share of them, by a hash of their own key, both ways: a flow holds if it is below.
TEST(FlowOf, AShareIsTheFlowsWhoseHashIsBelow) {
  tp_rule rule = {};
  rule.key_a = 0x0123456789abcdef;
  rule.key_b = 0xfedcba9876543210;
  for (const Ends& ends : PairsOfEnds(4)) {
    const tp_key key = FlowKey(ends);
    const uint64_t hash =
        SipHashModel(1, 3, tp_mix(0x0123456789abcdef ^ 0x5851f42d4c957f2d), 0xfedcba9876543210)
            .Hash(FlowMessage(ends, true));
    tp_when when = {};
    for (const auto& [share, holds] : {std::pair{hash, 0}, {hash + 1, 1}, {hash - 1, 0}}) {
      when.share = share;
      ASSERT_EQ(tp_holds_for_flow(&rule, &when, &key), holds);
    }
  }
}

}  // namespace
}  // namespace twinpath
