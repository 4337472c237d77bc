// SPDX-License-Identifier: BSD-3-Clause
// Tests frames whose headers cannot all be read: the reason, and the fields that were read. Frames
// that are cut, or whose headers contradict the frame or each other, are malformed, and so are
// their prefixes. Frames that are too deep are not malformed. The parser never reads past the end
// of arbitrary bytes.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

struct Case {
  std::string name;
  FrameBuilder frame;
  tp_parse_result result;
  Key key;  // without its length
};

std::vector<Case> Cases() {
  using F = FrameBuilder;
  using K = Key;
  constexpr auto kCut = TP_PARSE_CUT;
  constexpr auto kContradiction = TP_PARSE_CONTRADICTION;
  const K no_ipv4 = K(0x0800).Malformed().Unread(), no_ipv6 = K(0x86dd).Malformed().Unread();
  const K udp4 = K(0x0800).Ipv4(17).Malformed(), tcp4 = K(0x0800).Ipv4(6).Malformed();
  const K udp6 = K(0x86dd).Ipv6(17).Malformed(), any6 = K(0x86dd).Ipv6(0).Malformed().Unread();
  return {
      {"IPv4 without a header", F().EtherType(0x0800), kCut, no_ipv4},
      {"IPv4 of 19 bytes", F().EtherType(0x0800).Payload(19), kCut, no_ipv4},
      {"IPv4 without a header in two tags", F().Vlan(1).Vlan(2).EtherType(0x0800), kCut,
       K(0x0800).Vlan(1, 2).Malformed().Unread()},
      {"IPv4 version 5", F().Ipv4().Patch(0, {0x55}).Udp(), kContradiction, no_ipv4},
      {"IPv4 version 6 under 0x0800", F().Ipv4().Patch(0, {0x65}).Udp(), kContradiction, no_ipv4},
      {"IPv4 header of 0", F().Ipv4().Patch(0, {0x40}).Udp(), kContradiction, no_ipv4},
      {"IPv4 header of 16", F().Ipv4().Patch(0, {0x44}).Udp(), kContradiction, no_ipv4},
      {"IPv4 header beyond the datagram", F().Ipv4().Patch(0, {0x4f}).Udp(), kContradiction,
       no_ipv4},
      {"IPv4 options beyond the frame", F().Ipv4().Patch(0, {0x4f}).Patch(2, {0, 90}).Udp(), kCut,
       K(udp4).Further(40)},
      {"IPv4 total length 0", F().Ipv4().Patch(2, {0, 0}).Udp(), kContradiction, no_ipv4},
      {"IPv4 total length 19", F().Ipv4().Patch(2, {0, 19}).Udp(), kContradiction, no_ipv4},
      {"IPv4 total length less than its options", F().Ipv4().Options(8).Patch(2, {0, 24}).Udp(),
       kContradiction, no_ipv4},
      {"IPv4 total length one beyond the frame", F().Ipv4().Patch(2, {0, 29}).Udp(), kCut,
       K(udp4).Ports()},
      {"IPv4 total length 65535", F().Ipv4().Patch(2, {0xff, 0xff}).Udp(), kCut, K(udp4).Ports()},
      {"IPv4 total length beyond, then a UDP length of 7",
       F().Ipv4().Patch(2, {0, 29}).Udp().Patch(4, {0, 7}), kCut, udp4},
      {"UDP header beyond the total length", F().Ipv4().Patch(2, {0, 27}).Udp().Payload(9),
       kContradiction, udp4},
      {"UDP header in the padding", F().Ipv4(17).Padding(26), kContradiction, udp4},
      {"UDP length 0", F().Ipv4().Udp().Patch(4, {0, 0}), kContradiction, udp4},
      {"UDP length 7", F().Ipv4().Udp().Patch(4, {0, 7}), kContradiction, udp4},
      {"UDP length beyond the datagram", F().Ipv4().Udp().Patch(4, {0, 9}).Padding(4),
       kContradiction, udp4},
      {"UDP length 0 over IPv6, no jumbogram", F().Ipv6().Udp().Patch(4, {0, 0}), kContradiction,
       udp6},
      {"UDP first fragment of 7", F().Ipv4(17).Fragment(0, true).Payload(7), kCut, K(udp4).First()},
      {"UDP first fragment, length 7", F().Ipv4().Fragment(0, true).Udp().Patch(4, {0, 7}),
       kContradiction, K(udp4).First()},
      {"TCP header of 0", F().Ipv4().Tcp().Patch(12, {0}), kContradiction, tcp4},
      {"TCP header of 16", F().Ipv4().Tcp().Patch(12, {0x40}).Payload(20), kContradiction, tcp4},
      {"TCP header beyond the datagram", F().Ipv4().Tcp().Patch(12, {0x60}).Padding(9),
       kContradiction, tcp4},
      {"TCP of 19", F().Ipv4(6).Payload(19), kContradiction, tcp4},
      {"TCP first fragment of 4", F().Ipv4(6).Fragment(0, true).Payload(4), kCut, K(tcp4).First()},
      {"TCP tiny first fragment", F().Ipv4(6).Fragment(0, true).Payload(16), kCut, K(tcp4).First()},
      {"TCP tiny first fragment in a long frame",
       F().Ipv4(6).Fragment(0, true).Payload(16).Padding(10), kCut, K(tcp4).First()},
      {"TCP first fragment without its options",
       F().Ipv4().Fragment(0, true).Tcp().Patch(12, {0x80}).Payload(4), kCut,
       K(tcp4).First().Ports().TcpFlags(0x10)},
      {"ICMP of 7", F().Ipv4(1).Payload(7), kContradiction, K(0x0800).Ipv4(1).Malformed()},
      {"ICMPv6 of 3", F().Ipv6(58).Payload(3), kContradiction, K(0x86dd).Ipv6(58).Malformed()},
      {"IPv6 of 39 bytes", F().EtherType(0x86dd).Payload(39), kCut, no_ipv6},
      {"IPv6 version 4 under 0x86dd", F().Ipv6().Patch(0, {0x45}).Udp(), kContradiction, no_ipv6},
      {"IPv6 length one beyond the frame", F().Ipv6().Patch(4, {0, 9}).Udp(), kCut,
       K(udp6).Ports()},
      {"IPv6 length shorter than UDP", F().Ipv6().Patch(4, {0, 7}).Udp(), kContradiction, udp6},
      {"IPv6 length 0 before UDP", F().Ipv6().Patch(4, {0, 0}).Udp(), kContradiction, udp6},
      {"IPv6 extension beyond the datagram", F().Ipv6().HopByHop().Patch(1, {1}), kContradiction,
       any6},
      {"IPv6 extension of 255 units", F().Ipv6().Routing().Patch(1, {255}).Udp().Payload(99),
       kContradiction, any6},
      {"IPv6 extension promised, none there", F().Ipv6(60), kContradiction, any6},
      {"IPv6 hop-by-hop promised, none there", F().Ipv6(0), kCut, any6},
      {"IPv6 extension of 7 bytes", F().Ipv6(60).Payload(7), kContradiction, any6},
      {"IPv6 extension behind another, of 7 bytes", F().Ipv6().Routing(1).Patch(0, {60}).Payload(7),
       kContradiction, K(any6).Further(16)},
      {"IPv6 extension beyond the frame",
       F().Ipv6().Patch(4, {1, 0}).DestinationOptions(1).Patch(0, {43}), kCut, K(any6).Further(16)},
      {"IPv6 protocol known, its header beyond the frame",
       F().Ipv6().Patch(4, {1, 0}).DestinationOptions(1).Patch(0, {17}), kCut, K(udp6).Further(16)},
      {"IPv6 fragment header of 7 bytes", F().Ipv6(44).Payload(7), kContradiction, any6},
      {"authentication header of 8 bytes", F().Ipv6().Authentication(0).Patch(1, {0}).Payload(4),
       kContradiction, any6},
      {"authentication header beyond the datagram", F().Ipv6().Authentication(4).Patch(1, {3}),
       kContradiction, any6},
      {"IPv6 first fragment without its UDP header",
       F().Ipv6().Fragment(0, true).Patch(0, {17}).Payload(4), kCut, K(udp6).Further(8).First()},
      {"IPv6 first fragment without its extension",
       F().Ipv6().Fragment(0, true).Patch(0, {60}).Payload(4), kCut, K(any6).Further(8).First()},
  };
}

TEST(Parse, TellsWhyItStoppedAndWhatItRead) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<uint8_t> frame = c.frame.Build();
    const Parsed parsed = Parse(frame);
    EXPECT_EQ(parsed.result, c.result);
    EXPECT_EQ(parsed.key, c.key.Get(frame.size()));
  }
}

TEST(Parse, APrefixOfAMalformedFrameIsMalformedAndReadNoFurther) {
  for (const Case& c : Cases()) {
    const std::vector<uint8_t> frame = c.frame.Build();
    const tp_key whole = Parse(frame).key;
    for (size_t length = 0; length < frame.size(); length++) {
      const Parsed parsed = Parse(std::span(frame).first(length));
      EXPECT_TRUE(tp_is_malformed(static_cast<__u64>(parsed.result)))
          << c.name << " cut to " << length << " of " << frame.size();
      EXPECT_TRUE(parsed.key.flags & TP_KEY_MALFORMED);
      EXPECT_TRUE(IsReadOf(parsed.key, whole)) << c.name << " cut to " << length;
    }
  }
}

// No field of a header that cannot be read is known. An Ethernet header and its tags are one
// header.
TEST(Parse, ReadsNothingOfALinkHeaderThatIsCut) {
  const auto frame = FrameBuilder().Vlan(5, 0x88a8).Vlan(6).Ipv4().Udp().Build();
  for (size_t length = 0; length < 22; length++) {
    const Parsed parsed = Parse(std::span(frame).first(length));
    EXPECT_EQ(parsed.result, TP_PARSE_CUT) << length;
    EXPECT_EQ(parsed.key, Key::NoLink().Malformed().Get(length)) << length;
    // If only the first segment is short, the frame is not malformed.
    const Parsed segment = ParseSegment(std::span(frame).first(length), frame.size());
    EXPECT_EQ(segment.result, TP_PARSE_TOO_DEEP) << length;
    EXPECT_EQ(segment.key, Key::NoLink().Get(frame.size())) << length;
  }
}

// RFC 8200 sets no limit on headers, so these frames are not malformed.
TEST(Parse, FramesThatAreTooDeepAreNotMalformed) {
  FrameBuilder nine;
  nine.Ipv6();
  for (int i = 0; i < 9; i++) nine.DestinationOptions();
  const std::vector<std::pair<FrameBuilder, Key>> cases = {
      {nine.Udp(), Key(0x86dd).Ipv6(0).Further(64).Unread()},
      // At byte 1,102.
      {FrameBuilder().Ipv6().DestinationOptions(130).Udp(), Key(0x86dd).Ipv6(17).Further(1048)},
      {FrameBuilder().Ipv6().DestinationOptions(130).Tcp(), Key(0x86dd).Ipv6(6).Further(1048)},
      {FrameBuilder().Ipv6().DestinationOptions(130).Routing().Udp(),
       Key(0x86dd).Ipv6(0).Further(1048).Unread()},
      {FrameBuilder().Ipv6().DestinationOptions(130).Icmpv6(), Key(0x86dd).Ipv6(58).Further(1048)},
  };
  for (const auto& [builder, key] : cases) {
    const std::vector<uint8_t> frame = builder.Build();
    const Parsed parsed = Parse(frame);
    EXPECT_EQ(parsed.result, TP_PARSE_TOO_DEEP);
    EXPECT_EQ(parsed.key, key.Get(frame.size()));
    for (size_t length = 0; length < frame.size(); length++)
      ASSERT_EQ(Parse(std::span(frame).first(length)).result, TP_PARSE_CUT) << length;
  }
}

TEST(Parse, FalseJumbogramsAreContradictions) {
  using F = FrameBuilder;
  const Key unread = Key(0x86dd).Ipv6(0).Malformed().Unread();
  const std::vector<std::tuple<std::string, FrameBuilder, Key>> cases = {
      {"a length of 65535", F().Ipv6().Jumbo(65535).Tcp().Payload(100), unread},
      {"no jumbo option", F().Ipv6().Jumbo(70000).Patch(2, {1, 4}).Tcp().Payload(100), unread},
      {"an option of the wrong length", F().Ipv6().Jumbo(70000).Patch(3, {3}).Tcp().Payload(100),
       unread},
      {"a fragment", F().Ipv6().Jumbo(70000).Fragment(0, true).Tcp().Payload(100),
       Key(unread).Further(8)},
      {"UDP of 7", F().Ipv6().Jumbo(70000).Udp().Patch(4, {0, 7}).Payload(100),
       Key(0x86dd).Ipv6(17).Further(8).Malformed()},
  };
  for (const auto& [name, builder, key] : cases) {
    const Parsed parsed = ParseSegment(builder.Build(), 70100);
    EXPECT_EQ(parsed.result, TP_PARSE_CONTRADICTION) << name;
    EXPECT_EQ(parsed.key, key.Get(65535)) << name;
  }
  const auto all_ones = F().Ipv6().Jumbo(0xffffffff).Tcp().Payload(100).Build();
  EXPECT_EQ(ParseSegment(all_ones, 70100).result, TP_PARSE_CUT);
  EXPECT_EQ(ParseSegment(F().Ipv6(0).Build(), 70100).result, TP_PARSE_TOO_DEEP)
      << "no room for the option in the first segment";
}

// 14 bytes and up to 66 random bytes: the parser never reads past their end.
TEST(Parse, StaysInsideArbitraryFrames) {
  uint64_t state = 1;
  auto next = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<uint32_t>(state >> 33);
  };
  int parsed = 0;
  for (int i = 0; i < 200000; i++) {
    std::vector<uint8_t> frame =
        i & 1 ? FrameBuilder().Ipv6().Build() : FrameBuilder().Ipv4().Build();
    frame.resize(14 + next() % 80);
    for (size_t at = 14; at < frame.size(); at++) {
      if (at > 22 || next() % 4 == 0) frame[at] = static_cast<uint8_t>(next() % 3 ? next() : 0);
    }
    parsed += Parse(frame).result == TP_PARSED;
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace twinpath
