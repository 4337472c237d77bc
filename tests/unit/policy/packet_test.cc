// SPDX-License-Identifier: BSD-3-Clause
// Tests loss of scope "packet", which depends on a packet's own bytes: which bytes are hashed, that
// the rate is right, and that losses are independent. Also tests marks instead of losses.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/lib/fates.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"

namespace twinpath {
namespace {

using Frame = std::vector<uint8_t>;

bool Parses(const Frame& frame, tp_key* key) {
  return tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()), 0,
                  key) == TP_PARSED;
}

uint64_t HashOf(Frame frame, const tp_key& key, uint64_t a, uint64_t b) {
  tp_datapath datapath = {};
  datapath.data = frame.data();
  datapath.end = frame.data() + frame.size();
  return tp_packet_hash(&datapath, &key, a, b);
}

uint64_t Hash(const Frame& frame, uint64_t a = 1, uint64_t b = 2) {
  tp_key key;
  EXPECT_TRUE(Parses(frame, &key));
  return HashOf(frame, key, a, b);
}

// A packet after any link header, and the place of its transport checksum, if any.
struct Packet {
  std::string name;
  FrameBuilder (*build)(FrameBuilder);
  bool v6;
  int checksum;  // in bytes after the IP headers; -1: none
  size_t ip_headers;
};

const Packet kPackets[] = {
    {"udp", [](FrameBuilder f) { return f.Ipv4().Udp().Payload(70); }, false, 6, 20},
    {"empty udp", [](FrameBuilder f) { return f.Ipv4().Udp(); }, false, 6, 20},
    {"bare ack", [](FrameBuilder f) { return f.Ipv4().Tcp(); }, false, 16, 20},
    {"tcp of three bytes", [](FrameBuilder f) { return f.Ipv4().Tcp().Payload(3); }, false, 16, 20},
    {"tcp", [](FrameBuilder f) { return f.Ipv4().Options(8).Tcp().Options(4).Payload(100); }, false,
     16, 28},
    {"icmp", [](FrameBuilder f) { return f.Ipv4().Icmp().Payload(11); }, false, 2, 20},
    {"other", [](FrameBuilder f) { return f.Ipv4().Payload(33); }, false, -1, 20},
    {"later", [](FrameBuilder f) { return f.Ipv4(17).Fragment(3, true).Payload(40); }, false, -1,
     20},
    {"udp6", [](FrameBuilder f) { return f.Ipv6().Udp().Payload(70); }, true, 6, 40},
    {"bare ack 6", [](FrameBuilder f) { return f.Ipv6().HopByHop().Tcp(); }, true, 16, 48},
    {"icmp6", [](FrameBuilder f) { return f.Ipv6().Icmpv6(); }, true, 2, 40},
    {"least icmp6", [](FrameBuilder f) { return f.Ipv6(58).Payload(4); }, true, 2, 40},
};

TEST(PacketHash, WhatChangesOnTheWayIsNotHashed) {
  for (const Packet& packet : kPackets) {
    const Frame frame = packet.build(FrameBuilder()).Build();
    const uint64_t hash = Hash(frame);
    const auto expect_same = [&](const Frame& other, const std::string& what) {
      EXPECT_EQ(Hash(other), hash) << packet.name << ": " << what;
    };
    expect_same(packet.build(FrameBuilder().Vlan(5)).Build(), "a tag");
    expect_same(packet.build(FrameBuilder().Vlan(7, 0x88a8).Vlan(5)).Build(), "two tags");
    expect_same(packet.build(FrameBuilder().Mac({6, 6, 6, 6, 6, 6}, {4, 4, 4, 4, 4, 4})).Build(),
                "MAC addresses");
    expect_same(packet.build(FrameBuilder()).Padding(9).Build(), "padding");
    const auto expect_unhashed = [&](size_t byte, uint8_t bits, const std::string& what) {
      for (int bit = 0; bit < 8; bit++) {
        Frame other = frame;
        other[byte] ^= static_cast<uint8_t>(bits & 1 << bit);
        expect_same(other, what);
      }
    };
    if (packet.v6) {
      expect_unhashed(14, 0x0f, "traffic class");
      expect_unhashed(15, 0xff, "traffic class and flow label");
      expect_unhashed(16, 0xff, "flow label");
      expect_unhashed(21, 0xff, "hop limit");
    } else {
      expect_unhashed(15, 0xff, "type of service");
      expect_unhashed(20, 0x40, "do not fragment");
      expect_unhashed(22, 0xff, "time to live");
      expect_unhashed(24, 0xff, "checksum");
      expect_unhashed(25, 0xff, "checksum");
    }
    if (packet.checksum >= 0) {
      const size_t at = 14 + packet.ip_headers + static_cast<size_t>(packet.checksum);
      expect_unhashed(at, 0xff, "transport checksum");
      expect_unhashed(at + 1, 0xff, "transport checksum");
    }
    Frame far = frame;
    if (far.size() > 14 + packet.ip_headers + 64) {
      far[14 + packet.ip_headers + 64] ^= 1;
      expect_same(far, "the 65th byte");
    }
  }
}

uint64_t HashOfFirst(const FrameBuilder& builder, size_t length) {
  Frame frame = builder.Build();
  frame.resize(std::min(length, frame.size()));
  tp_key key;
  Parses(frame, &key);
  return HashOf(frame, key, 1, 2);
}

TEST(PacketHash, FramesThatCouldNotBeReadAreHashedAsFarAsTheyGo) {
  using F = FrameBuilder;
  const F udp = F().Ipv4().Udp(1, 2).Payload(70);
  const uint64_t whole = HashOfFirst(udp, SIZE_MAX);
  EXPECT_EQ(HashOfFirst(udp, 14 + 20 + 64), whole) << "the 64 bytes are there";
  std::vector<uint64_t> hashes;
  for (size_t length = 0; length < 14 + 20 + 64; length++)
    hashes.push_back(HashOfFirst(udp, length));
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
  // The ninth extension header, and the 56 bytes behind it.
  F nine;
  nine.Ipv6();
  for (int i = 0; i < 9; i++) nine.DestinationOptions();
  EXPECT_NE(HashOfFirst(F(nine).Udp(1, 2), SIZE_MAX), HashOfFirst(F(nine).Udp(1, 3), SIZE_MAX));
  // Nothing beyond byte 1,024.
  const F deep = F().Ipv6().DestinationOptions(130);
  EXPECT_EQ(HashOfFirst(F(deep).Udp(1, 2), SIZE_MAX), HashOfFirst(F(deep).Udp(1, 3), SIZE_MAX));
}

// Each hashed bit matters: for 64 packets of each kind, half of all fates change when a bit is
// flipped.
TEST(PacketHash, EveryOtherBitDecides) {
  double flips = 0, changed = 0, bits = 0;
  for (const Packet& packet : kPackets) {
    Frame frame = packet.build(FrameBuilder()).Build();
    std::vector<size_t> bytes;
    if (!packet.v6) bytes = {18, 19, 21};  // identification, low part of the offset
    for (size_t i = packet.v6 ? 22 : 26; i < (packet.v6 ? 54u : 34u); i++) bytes.push_back(i);
    const size_t behind = 14 + packet.ip_headers;
    for (size_t i = behind; i < std::min(frame.size(), behind + 64); i++) bytes.push_back(i);
    size_t skipped = 0;
    for (uint64_t number = 0; number < 64; number++) {
      const uint64_t a = tp_mix(number), b = tp_mix(a);
      const uint64_t hash = Hash(frame, a, b);
      for (size_t byte : bytes) {
        const int into = static_cast<int>(byte) - static_cast<int>(behind) - packet.checksum;
        if (packet.checksum >= 0 && byte >= behind && into >= 0 && into < 2) continue;
        for (int bit = 0; bit < 8; bit++) {
          frame[byte] ^= static_cast<uint8_t>(1 << bit);
          tp_key key;
          if (Parses(frame, &key)) {
            const uint64_t other = Hash(frame, a, b);
            EXPECT_NE(other, hash) << packet.name << " byte " << byte << " bit " << bit;
            flips++;
            changed += (other ^ hash) >> 63;
            bits += std::popcount(other ^ hash);
          } else {
            skipped++;
          }
          frame[byte] ^= static_cast<uint8_t>(1 << bit);
        }
      }
    }
    EXPECT_LE(skipped, 64 * 40u) << packet.name;  // lengths of UDP and TCP, the offset
  }
  EXPECT_GT(flips, 200000);
  EXPECT_LT(std::abs(changed - flips / 2), 3.9 * std::sqrt(flips) / 2);
  // Over all 64 bits of the hash. The bits that one flip changes are not quite independent.
  EXPECT_NEAR(bits / flips, 32, 0.1);
}

// Two frames to which an earlier hash gave the same draw, under every seed and rule: a counter of
// 32 bits repeated three times, and the counter plus 128. The draws come from OpenSSL's
// SipHash-1-3.
TEST(PacketHash, DrawsAreGolden) {
  const HostTables tables(CompileText(
      R"({"version": 1, "seed": 1, "rules": [{"name": "a", "loss":
          {"model": "random", "rate": "50%", "scope": "packet"}}]})"));
  const tp_rule& rule = tables.policy().rules[0];
  FrameBuilder builder;
  Frame frame = builder.Ipv4()
                    .Ipv4Addresses(0x0a000001, 0xc0000201)
                    .Patch(4, {0, 0})  // no identification
                    .Udp(1000, 53)
                    .Payload(20)
                    .Build();
  std::fill(frame.end() - 20, frame.end(), uint8_t{0});
  EXPECT_EQ(Hash(frame, rule.key_a, rule.key_b), 0x14f652fd81068f46u);
  for (long at : {7, 11, 15}) frame.end()[at - 20] = 0x80;
  EXPECT_EQ(Hash(frame, rule.key_a, rule.key_b), 0x9ba860c6c124c4e6u);
}

// A million packets that differ as real packets do, by a counter. Under two rules.
TEST(PacketHash, AMillionPacketsAreLostAsAtRandom) {
  constexpr size_t kBlocks = 15625;
  for (bool v6 : {false, true}) {
    Frame frame = v6 ? FrameBuilder().Ipv6().Udp().Payload(20).Build()
                     : FrameBuilder().Ipv4().Tcp().Payload(20).Build();
    const size_t at = v6 ? frame.size() - 4 : 18;  // payload, or identification and sequence
    const auto set = [&](uint32_t number) {
      for (size_t i = 0; i < 2; i++) frame[at + i] = static_cast<uint8_t>(number >> (8 - 8 * i));
      for (size_t i = 0; i < 2; i++) {
        frame[(v6 ? at + 2 : 38) + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
      }
    };
    for (double rate : {0.001, 0.1, 0.5}) {
      HostTables tables(CompileText(
          R"({"version": 1, "seed": 7, "rules": [{"name": "other", "match": {"proto": 1},
              "loss": {"model": "random", "rate": )" +
          std::to_string(rate) + R"(, "scope": "packet"}}], "default":
              {"loss": {"model": "random", "rate": )" +
          std::to_string(rate) + R"(, "scope": "packet"}}})"));
      Fates fates[2] = {Fates(kBlocks), Fates(kBlocks)};
      for (uint32_t n = 0; n < 64 * kBlocks; n++) {
        set(n);
        tp_key key;
        ASSERT_TRUE(Parses(frame, &key));
        for (size_t r = 0; r < 2; r++) {
          const tp_rule& rule = tables.policy().rules[r];
          const uint64_t lost = HashOf(frame, key, rule.key_a, rule.key_b) < rule.threshold;
          fates[r][n / 64] |= lost << n % 64;
        }
      }
      for (const Fates& of_rule : fates) {
        const double off = static_cast<double>(Lost(of_rule)) - 64 * kBlocks * rate;
        EXPECT_LT(std::abs(off), 3.9 * std::sqrt(64 * kBlocks * rate * (1 - rate)));
        EXPECT_GT(GapP(of_rule, rate), 1e-6);
        for (size_t lag : {1, 2, 64}) EXPECT_GT(CoincidenceP(of_rule, of_rule, lag, rate), 1e-6);
      }
      EXPECT_GT(CoincidenceP(fates[0], fates[1], 0, rate), 1e-6);
    }
  }
}

// Marks

// RFC 1071, over the present header with its checksum taken as 0.
uint16_t Checksum(const uint8_t* header) {
  uint32_t sum = 0;
  for (size_t i = 0; i < static_cast<size_t>(header[0] & 15) * 4; i += 2)
    if (i != 10) sum += static_cast<uint32_t>(header[i] << 8 | header[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

int Mark(Frame* frame) {
  tp_key key;
  EXPECT_TRUE(Parses(*frame, &key));
  tp_datapath datapath = {};
  datapath.data = frame->data();
  datapath.end = frame->data() + frame->size();
  return tp_mark_ce(&datapath, &key);
}

TEST(Mark, MendsEveryChecksumOfAnIpv4Header) {
  std::vector<bool> seen(65536);
  for (uint8_t tos : {0x01, 0x02, 0xb9, 0xfe}) {
    for (const FrameBuilder& tags :
         {FrameBuilder(), FrameBuilder().Vlan(5), FrameBuilder().Vlan(7, 0x88a8).Vlan(5)}) {
      FrameBuilder builder = tags;
      Frame frame = builder.Ipv4().Options(4).Udp().Payload(3).Build();
      const size_t ip = frame.size() - 24 - 11;
      frame[ip + 1] = tos;
      for (uint32_t id = 0; id < 65536; id++) {
        frame[ip + 4] = static_cast<uint8_t>(id >> 8);
        frame[ip + 5] = static_cast<uint8_t>(id);
        frame[ip + 1] = tos;
        const uint16_t before = Checksum(&frame[ip]);
        seen[before] = true;
        frame[ip + 10] = static_cast<uint8_t>(before >> 8);
        frame[ip + 11] = static_cast<uint8_t>(before);
        Frame expected = frame;
        expected[ip + 1] = tos | 3;
        const uint16_t after = Checksum(&expected[ip]);
        expected[ip + 10] = static_cast<uint8_t>(after >> 8);
        expected[ip + 11] = static_cast<uint8_t>(after);
        ASSERT_EQ(Mark(&frame), 1);
        ASSERT_EQ(frame, expected) << "tos " << int{tos} << " id " << id;
      }
    }
  }
  // Only a header of zeros has the checksum 0xffff.
  for (uint32_t checksum = 0; checksum < 65535; checksum++) ASSERT_TRUE(seen[checksum]) << checksum;
}

TEST(Mark, SetsTheTwoBitsOfIpv6) {
  for (int traffic_class = 0; traffic_class < 256; traffic_class++) {
    for (const FrameBuilder& tags : {FrameBuilder(), FrameBuilder().Vlan(5)}) {
      FrameBuilder builder = tags;
      Frame frame = builder.Ipv6().Tcp().Build();
      const size_t ip = frame.size() - 60;
      frame[ip] = static_cast<uint8_t>(0x60 | traffic_class >> 4);
      frame[ip + 1] = static_cast<uint8_t>(traffic_class << 4 | 0x0a);  // and a flow label
      Frame expected = frame;
      if (traffic_class & 3) expected[ip + 1] |= 0x30;
      EXPECT_EQ(Mark(&frame), (traffic_class & 3) != 0) << traffic_class;
      EXPECT_EQ(frame, expected) << traffic_class;
    }
  }
}

// Nothing follows the header that is marked.
TEST(Mark, TheShortestPacketsAreMarked) {
  Frame v4 = FrameBuilder().Ipv4().Patch(1, {0x01}).Build();
  ASSERT_EQ(v4.size(), 34u);
  const uint16_t before = Checksum(&v4[14]);
  v4[24] = static_cast<uint8_t>(before >> 8);
  v4[25] = static_cast<uint8_t>(before);
  EXPECT_EQ(Mark(&v4), 1);
  EXPECT_EQ(v4[15], 0x03);
  EXPECT_EQ(v4[24] << 8 | v4[25], Checksum(&v4[14]));
  Frame v6 = FrameBuilder().Ipv6().Patch(1, {0x20}).Build();
  ASSERT_EQ(v6.size(), 54u);
  EXPECT_EQ(Mark(&v6), 1);
  EXPECT_EQ(v6[15], 0x30);
}

TEST(Mark, LeavesWhatIsMarkedOrCannotBe) {
  Frame marked = FrameBuilder().Ipv4().Patch(1, {0x03}).Udp().Build(), before = marked;
  EXPECT_EQ(Mark(&marked), 1);
  EXPECT_EQ(marked, before);
  for (const FrameBuilder& builder :
       {FrameBuilder().Ipv4().Patch(1, {0xfc}).Udp(), FrameBuilder().Payload(50)}) {
    Frame frame = builder.Build(), as_it_was = frame;
    EXPECT_EQ(Mark(&frame), 0);
    EXPECT_EQ(frame, as_it_was);
  }
}

}  // namespace
}  // namespace twinpath
