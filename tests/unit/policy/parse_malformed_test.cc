// SPDX-License-Identifier: BSD-3-Clause
// Frames whose headers contradict the frame or each other are malformed, and so are their prefixes.
// The parser never reads past the end of arbitrary bytes.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

TEST(Parse, RefusesHeadersThatContradictTheFrame) {
  using F = FrameBuilder;
  const std::vector<std::pair<std::string, FrameBuilder>> cases = {
      {"nothing behind a tag", F().Vlan(1).Vlan(2).EtherType(0x0800)},
      {"IPv4 version 5", F().Ipv4().Patch(0, {0x55}).Udp()},
      {"IPv4 version 6 under 0x0800", F().Ipv4().Patch(0, {0x65}).Udp()},
      {"IPv4 header of 0", F().Ipv4().Patch(0, {0x40}).Udp()},
      {"IPv4 header of 16", F().Ipv4().Patch(0, {0x44}).Udp()},
      {"IPv4 header beyond the datagram", F().Ipv4().Patch(0, {0x4f}).Udp()},
      {"IPv4 total length 0", F().Ipv4().Patch(2, {0, 0}).Udp()},
      {"IPv4 total length 19", F().Ipv4().Patch(2, {0, 19}).Udp()},
      {"IPv4 total length less than its options", F().Ipv4().Options(8).Patch(2, {0, 24}).Udp()},
      {"IPv4 total length one beyond the frame", F().Ipv4().Patch(2, {0, 29}).Udp()},
      {"IPv4 total length 65535", F().Ipv4().Patch(2, {0xff, 0xff}).Udp()},
      {"UDP header beyond the total length", F().Ipv4().Patch(2, {0, 27}).Udp().Payload(9)},
      {"UDP length 0", F().Ipv4().Udp().Patch(4, {0, 0})},
      {"UDP length 7", F().Ipv4().Udp().Patch(4, {0, 7})},
      {"UDP length beyond the datagram", F().Ipv4().Udp().Patch(4, {0, 9}).Padding(4)},
      {"UDP length 0 over IPv6, no jumbogram", F().Ipv6().Udp().Patch(4, {0, 0})},
      {"UDP first fragment of 7", F().Ipv4(17).Fragment(0, true).Payload(7)},
      {"UDP first fragment, length 7", F().Ipv4().Fragment(0, true).Udp().Patch(4, {0, 7})},
      {"TCP header of 0", F().Ipv4().Tcp().Patch(12, {0})},
      {"TCP header of 16", F().Ipv4().Tcp().Patch(12, {0x40}).Payload(20)},
      {"TCP header beyond the datagram", F().Ipv4().Tcp().Patch(12, {0x60}).Padding(9)},
      {"TCP of 19", F().Ipv4(6).Payload(19)},
      {"TCP tiny first fragment", F().Ipv4(6).Fragment(0, true).Payload(16)},
      {"ICMP of 7", F().Ipv4(1).Payload(7)},
      {"ICMPv6 of 3", F().Ipv6(58).Payload(3)},
      {"IPv6 version 4 under 0x86dd", F().Ipv6().Patch(0, {0x45}).Udp()},
      {"IPv6 length one beyond the frame", F().Ipv6().Patch(4, {0, 9}).Udp()},
      {"IPv6 length shorter than UDP", F().Ipv6().Patch(4, {0, 7}).Udp()},
      {"IPv6 length 0 before UDP", F().Ipv6().Patch(4, {0, 0}).Udp()},
      {"IPv6 extension beyond the datagram", F().Ipv6().HopByHop().Patch(1, {1})},
      {"IPv6 extension of 255 units", F().Ipv6().Routing().Patch(1, {255}).Udp().Payload(99)},
      {"IPv6 extension promised, none there", F().Ipv6(60)},
      {"IPv6 extension of 7 bytes", F().Ipv6(60).Payload(7)},
      {"IPv6 fragment header of 7 bytes", F().Ipv6(44).Payload(7)},
      {"authentication header of 8 bytes", F().Ipv6().Authentication(0).Patch(1, {0}).Payload(4)},
      {"authentication header beyond the datagram", F().Ipv6().Authentication(4).Patch(1, {3})},
      {"IPv6 first fragment without its UDP header",
       F().Ipv6().Fragment(0, true).Patch(0, {17}).Payload(4)},
      {"IPv6 first fragment without its extension",
       F().Ipv6().Fragment(0, true).Patch(0, {60}).Payload(4)},
  };
  for (const auto& [name, builder] : cases) {
    const std::vector<uint8_t> frame = builder.Build();
    for (size_t length = 0; length <= frame.size(); length++) {
      EXPECT_EQ(Parse(std::span(frame).first(length)).result, TP_PARSE_MALFORMED)
          << name << " cut to " << length << " of " << frame.size();
    }
  }
}

TEST(Parse, RefusesFalseJumbograms) {
  using F = FrameBuilder;
  const std::vector<std::pair<std::string, FrameBuilder>> cases = {
      {"a length of 65535", F().Ipv6().Jumbo(65535).Tcp().Payload(100)},
      {"a length of all ones", F().Ipv6().Jumbo(0xffffffff).Tcp().Payload(100)},
      {"no jumbo option", F().Ipv6().Jumbo(70000).Patch(2, {1, 4}).Tcp().Payload(100)},
      {"an option of the wrong length", F().Ipv6().Jumbo(70000).Patch(3, {3}).Tcp().Payload(100)},
      {"a fragment", F().Ipv6().Jumbo(70000).Fragment(0, true).Tcp().Payload(100)},
      {"UDP of 7", F().Ipv6().Jumbo(70000).Udp().Patch(4, {0, 7}).Payload(100)},
      {"no room for the option", F().Ipv6(0).Patch(4, {0, 0})},
  };
  for (const auto& [name, builder] : cases) {
    EXPECT_EQ(ParseSegment(builder.Build(), 70100).result, TP_PARSE_MALFORMED) << name;
  }
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
