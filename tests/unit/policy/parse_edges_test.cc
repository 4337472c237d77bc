// SPDX-License-Identifier: BSD-3-Clause
// Each bit and each length at which the parser changes its mind, from the RFCs: fragment offsets,
// bits of a tag, the least of each header, and what a first segment must hold.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

using F = FrameBuilder;
using K = Key;
using Bytes = std::vector<uint8_t>;

// What the two bytes of the fragment field mean: the key's flags besides TP_KEY_IP and
// TP_KEY_PORTS.
enum Fragment { kWhole = 0, kFirst = TP_KEY_FRAGMENT, kLater = TP_KEY_FRAGMENT | TP_KEY_LATER };

void ExpectFragment(Bytes frame, size_t at, uint16_t field, Fragment expected) {
  frame[at] = static_cast<uint8_t>(field >> 8);
  frame[at + 1] = static_cast<uint8_t>(field);
  const Parsed parsed = Parse(frame);
  const int ports = expected == kLater ? 0 : TP_KEY_PORTS;
  EXPECT_EQ(parsed.result, TP_PARSED) << std::hex << field;
  EXPECT_EQ(parsed.key.flags, TP_KEY_IP | ports | expected) << std::hex << field;
  EXPECT_EQ(parsed.key.src_port, ports ? __builtin_bswap16(1111) : 0) << std::hex << field;
}

// RFC 791, section 3.1: a reserved bit, DF, MF, and 13 bits of offset.
TEST(ParseEdges, EachBitOfAnIpv4FragmentField) {
  for (const Bytes& frame : {F().Ipv4().Udp().Payload(16).Build(), F().Ipv4().Tcp().Build()}) {
    for (int above : {0, 0x4000, 0x8000, 0xc000}) {  // reserved and DF: no matter
      const auto field = [above](int bits) { return static_cast<uint16_t>(above | bits); };
      ExpectFragment(frame, 20, field(0), kWhole);
      ExpectFragment(frame, 20, field(0x2000), kFirst);
      for (int bit = 0; bit < 13; bit++) {
        ExpectFragment(frame, 20, field(1 << bit), kLater);
        ExpectFragment(frame, 20, field(0x2000 | 1 << bit), kLater);
      }
      ExpectFragment(frame, 20, field(0x1fff), kLater);
    }
  }
}

// RFC 8200, section 4.5: 13 bits of offset, two reserved bits, M.
TEST(ParseEdges, EachBitOfAnIpv6FragmentField) {
  const Bytes frame = F().Ipv6().Fragment(0, false).Udp().Payload(16).Build();
  for (int reserved : {0, 2, 4, 6}) {
    const auto field = [reserved](int bits) { return static_cast<uint16_t>(reserved | bits); };
    ExpectFragment(frame, 56, field(0), kWhole);
    ExpectFragment(frame, 56, field(1), kFirst);
    for (int bit = 3; bit < 16; bit++) {
      ExpectFragment(frame, 56, field(1 << bit), kLater);
      ExpectFragment(frame, 56, field(1 << bit | 1), kLater);
    }
    ExpectFragment(frame, 56, field(0xfff8), kLater);
  }
}

// IEEE 802.1Q, clause 9.6: three bits of priority, one of drop eligibility, twelve of the VID.
TEST(ParseEdges, AVidHasTwelveBits) {
  for (int above : {0, 0x1000, 0x2000, 0x4000, 0x8000, 0xf000}) {
    for (int vid : {0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4095}) {
      const auto tci = static_cast<uint16_t>(above | vid);
      const Bytes outer = F().Vlan(tci).Vlan(7).Payload(3).Build();
      const Bytes inner = F().Vlan(7).Vlan(tci).Payload(3).Build();
      EXPECT_EQ(Parse(outer).key, K(0x88b5).Vlan(static_cast<uint16_t>(vid), 7).Get(25)) << tci;
      EXPECT_EQ(Parse(inner).key, K(0x88b5).Vlan(7, static_cast<uint16_t>(vid)).Get(25)) << tci;
    }
  }
}

// The key's length has 16 bits.
TEST(ParseEdges, LongFramesAreAsLongAsTheKeyCanSay) {
  const Bytes frame = F().Ipv4().Udp().Build(), short_frame = {2, 0};
  for (const auto& [length, kept] : std::vector<std::pair<size_t, size_t>>{{42, 42},
                                                                           {32768, 32768},
                                                                           {65534, 65534},
                                                                           {65535, 65535},
                                                                           {65536, 65535},
                                                                           {131073, 65535}}) {
    EXPECT_EQ(ParseSegment(frame, length).key, K(0x0800).Ipv4(17).Ports().Get(kept));
    EXPECT_EQ(ParseSegment(short_frame, length).key, K::NoLink().Get(kept));
  }
}

// A frame, and how many of its bytes must be in the first segment: up to the end of the last header
// that the key is read from, of an IPv6 extension its first 8 bytes.
struct Head {
  std::string name;
  FrameBuilder frame;
  size_t least;
};

std::vector<Head> Heads() {
  return {
      {"Ethernet", F().Payload(50), 14},
      {"one tag", F().Vlan(1).Payload(50), 14 + 4},
      {"two tags", F().Vlan(1).Vlan(2).Payload(50), 14 + 8},
      {"IPv4", F().Ipv4().Payload(50), 14 + 20},
      {"IPv4 options, which no rule asks for", F().Ipv4().Options(40).Payload(50), 14 + 20},
      {"IPv4 UDP", F().Ipv4().Udp().Payload(50), 14 + 20 + 8},
      {"IPv4 options and UDP", F().Ipv4().Options(40).Udp().Payload(50), 14 + 60 + 8},
      {"IPv4 TCP", F().Ipv4().Tcp().Payload(50), 14 + 20 + 20},
      {"IPv4 TCP options, which no rule asks for", F().Ipv4().Tcp().Options(40), 14 + 20 + 20},
      {"tags, IPv4 and TCP", F().Vlan(1).Vlan(2).Ipv4().Tcp().Payload(9), 14 + 8 + 20 + 20},
      {"IPv4 ICMP", F().Ipv4().Icmp().Payload(50), 14 + 20},
      {"IPv4 later fragment", F().Ipv4(17).Fragment(3, true).Payload(50), 14 + 20},
      {"IPv6", F().Ipv6().Payload(50), 14 + 40},
      {"IPv6 UDP", F().Ipv6().Udp().Payload(50), 14 + 40 + 8},
      {"IPv6 TCP", F().Ipv6().Tcp().Payload(50), 14 + 40 + 20},
      {"IPv6 ICMP", F().Ipv6().Icmpv6().Payload(50), 14 + 40},
      {"IPv6 extension", F().Ipv6().DestinationOptions(3).Payload(50), 14 + 40 + 8},
      {"IPv6 least extension", F().Ipv6().DestinationOptions().Payload(50), 14 + 40 + 8},
      {"IPv6 extensions and UDP", F().Ipv6().HopByHop(1).Routing(2).Udp(), 14 + 40 + 16 + 24 + 8},
      {"IPv6 authentication and TCP", F().Ipv6().Authentication(0).Tcp(), 14 + 40 + 12 + 20},
      {"IPv6 first fragment", F().Ipv6().Fragment(0, true).Udp().Payload(8), 14 + 40 + 8 + 8},
      {"IPv6 later fragment", F().Ipv6().Fragment(9, true).Payload(50), 14 + 40 + 8},
  };
}

TEST(ParseEdges, AFirstSegmentMustHoldTheHeadersAndNoMore) {
  for (const Head& head : Heads()) {
    SCOPED_TRACE(head.name);
    const Bytes frame = head.frame.Build();
    ASSERT_LE(head.least, frame.size());
    const tp_key key = Parse(frame).key;
    // The frame may end with the segment's last byte, or have one more, or be as long as it is.
    const auto segment = [&frame](size_t length) { return std::span(frame).first(length); };
    const Parsed held = ParseSegment(segment(head.least), frame.size());
    EXPECT_EQ(held.result, TP_PARSED);
    EXPECT_EQ(held.key, key);
    const Parsed beyond = ParseSegment(segment(head.least - 1), frame.size());
    EXPECT_EQ(beyond.result, TP_PARSE_TOO_DEEP);
    EXPECT_TRUE(IsReadOf(beyond.key, key));
  }
}

// A frame that ends with its headers, of which the first segment lacks the last byte. Then the same
// frame without that byte: it is cut.
TEST(ParseEdges, AHeaderIsCutOnlyIfTheFrameEndsBeforeIt) {
  const std::vector<std::pair<std::string, FrameBuilder>> frames = {
      {"Ethernet", F()},
      {"one tag", F().Vlan(1)},
      {"two tags", F().Vlan(1).Vlan(2)},
      {"IPv4", F().Ipv4()},
      {"IPv4 UDP", F().Ipv4().Udp()},
      {"IPv4 TCP", F().Ipv4().Tcp()},
      {"IPv6", F().Ipv6()},
      {"IPv6 UDP", F().Ipv6().Udp()},
      {"IPv6 TCP", F().Ipv6().Tcp()},
      {"IPv6 extension", F().Ipv6().DestinationOptions()},
      {"IPv6 extension and UDP", F().Ipv6().DestinationOptions().Udp()},
      {"a promised jumbo option, on 48 bytes", F().Ipv6().Jumbo(70000)},
  };
  for (const auto& [name, builder] : frames) {
    const Bytes frame = builder.Build();
    const auto segment = std::span(frame).first(frame.size() - 1);
    const Parsed whole = ParseSegment(segment, frame.size());
    const Parsed cut = ParseSegment(segment, frame.size() - 1);
    EXPECT_EQ(whole.result, TP_PARSE_TOO_DEEP) << name;
    EXPECT_EQ(cut.result, TP_PARSE_CUT) << name;
    EXPECT_FALSE(whole.key.flags & TP_KEY_MALFORMED) << name;
    EXPECT_TRUE(cut.key.flags & TP_KEY_MALFORMED) << name;
  }
}

// RFC 2675, section 2: "the length must be greater than 65,535". The option is in bytes 42 to 47
// behind the beginning of the IPv6 header.
TEST(ParseEdges, TheLeastJumbogramAndItsHead) {
  const Bytes frame = F().Ipv6().Jumbo(65536).Tcp().Payload(100).Build();
  const tp_key key = K(0x86dd).Ipv6(6).Further(8).Ports().TcpFlags(0x10).Get(65535);
  EXPECT_EQ(ParseSegment(frame, 54 + 65536).result, TP_PARSED);
  EXPECT_EQ(ParseSegment(frame, 54 + 65536).key, key);
  EXPECT_EQ(ParseSegment(frame, 54 + 65536 - 1).result, TP_PARSE_CUT);
  const auto head = [&frame](size_t length) {
    return ParseSegment(std::span(frame).first(length), 54 + 65536);
  };
  EXPECT_EQ(head(14 + 48 + 20).key, key);
  EXPECT_EQ(head(14 + 48 + 20).result, TP_PARSED);
  EXPECT_EQ(head(14 + 48).result, TP_PARSE_TOO_DEEP) << "TCP is in the next segment";
  EXPECT_EQ(head(14 + 48).key, K(0x86dd).Ipv6(6).Further(8).Get(65535));
  EXPECT_EQ(head(14 + 47).result, TP_PARSE_TOO_DEEP);
  EXPECT_EQ(head(14 + 47).key, K(0x86dd).Ipv6(0).Unread().Get(65535));
  // A payload length of 0 without a hop-by-hop header is an empty datagram.
  const Bytes empty = F().Ipv6(60).Build();
  EXPECT_EQ(Parse(empty).result, TP_PARSE_CONTRADICTION);
}

// Header lengths that end exactly with the datagram, and one unit beyond it.
TEST(ParseEdges, TheLastHeaderMayEndTheDatagram) {
  const auto expect = [](const FrameBuilder& builder, int result, const K& key) {
    const Bytes frame = builder.Build();
    const Parsed parsed = Parse(frame);
    EXPECT_EQ(parsed.result, result);
    EXPECT_EQ(parsed.key, key.Get(frame.size()));
  };
  const K none6 = K(0x86dd).Ipv6(59), any6 = K(0x86dd).Ipv6(0).Malformed().Unread();
  expect(F().Ipv6().DestinationOptions(), TP_PARSED, K(none6).Further(8));
  expect(F().Ipv6().Fragment(0, false), TP_PARSED, K(none6).Further(8));
  expect(F().Ipv6().Authentication(0), TP_PARSED, K(none6).Further(12));
  expect(F().Ipv6().Authentication(4), TP_PARSED, K(none6).Further(16));
  expect(F().Ipv6().Authentication(4).Patch(1, {3}), TP_PARSE_CONTRADICTION, any6);
  expect(F().Ipv6().DestinationOptions(1).Patch(1, {2}), TP_PARSE_CONTRADICTION, any6);
  // The data offset of TCP: 5 to 15 words.
  for (size_t options = 0; options <= 40; options += 4) {
    expect(F().Ipv6().Tcp().Options(options), TP_PARSED, K(0x86dd).Ipv6(6).Ports().TcpFlags(0x10));
  }
  expect(F().Ipv6().Tcp().Options(4).Patch(12, {0x70}), TP_PARSE_CONTRADICTION,
         K(0x86dd).Ipv6(6).Malformed());
  // The header length of IPv4: 5 to 15 words.
  for (uint16_t options = 0; options <= 40; options = static_cast<uint16_t>(options + 4))
    expect(F().Ipv4().Options(options), TP_PARSED, K(0x0800).Ipv4(253).Further(options));
  // ICMP and ICMPv6 have 8 and 4 bytes at least.
  expect(F().Ipv4(1).Payload(8), TP_PARSED, K(0x0800).Ipv4(1));
  expect(F().Ipv6(58).Payload(4), TP_PARSED, K(0x86dd).Ipv6(58));
}

}  // namespace
}  // namespace twinpath
