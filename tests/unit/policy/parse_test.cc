// SPDX-License-Identifier: BSD-3-Clause
// Tests the exact key of a frame, for every shape of header. Every frame that is cut is malformed,
// and its headers are read as far as possible.

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

struct Shape {
  std::string name;
  FrameBuilder frame;
  Key key;
};

std::vector<Shape> Shapes() {
  using F = FrameBuilder;
  using K = Key;
  return {
      {"no EtherType we know", F().Payload(20), K(0x88b5)},
      {"Ethernet header alone", F(), K(0x88b5)},
      {"ARP", F().EtherType(0x0806).Payload(28), K(0x0806)},
      {"802.3 length, LLC", F().EtherType(38).Bytes({0x42, 0x42, 3}).Payload(35), K(38)},
      {"one tag", F().Vlan(0x6005).Payload(3), K(0x88b5).Vlan(5)},
      {"one tag of 802.1ad", F().Vlan(4095, 0x88a8).Payload(3), K(0x88b5).Vlan(4095)},
      {"two tags", F().Vlan(7, 0x88a8).Vlan(0x2fff).Payload(3), K(0x88b5).Vlan(7, 4095)},
      {"two tags of 802.1ad", F().Vlan(7, 0x88a8).Vlan(8, 0x88a8).Payload(3), K(0x88b5).Vlan(7, 8)},
      {"three tags", F().Vlan(1).Vlan(2).Vlan(3).Ipv4().Udp(), K(0x8100).Vlan(1, 2)},
      {"priority tag", F().Vlan(0xe000).Ipv4().Udp(), K(0x0800).Vlan(0).Ipv4(17).Ports()},
      {"IPv4 alone", F().Ipv4(), K(0x0800).Ipv4(253)},
      {"IPv4 TOS", F().Ipv4().Patch(1, {0xb9}).Udp(), K(0x0800).Ipv4(17).DscpEcn(0xb9).Ports()},
      {"IPv4 UDP", F().Ipv4().Udp(5000, 53).Payload(9), K(0x0800).Ipv4(17).Ports(5000, 53)},
      {"IPv4 UDP shorter than its datagram", F().Ipv4().Udp().Patch(4, {0, 8}).Payload(4),
       K(0x0800).Ipv4(17).Ports()},
      {"IPv4 TCP", F().Ipv4().Tcp(1, 2, 0xff), K(0x0800).Ipv4(6).Ports(1, 2).TcpFlags(0xff)},
      {"IPv4 TCP with options", F().Ipv4().Tcp().Options(40).Payload(5),
       K(0x0800).Ipv4(6).Ports().TcpFlags(0x10)},
      {"IPv4 ICMP", F().Ipv4().Icmp().Payload(56), K(0x0800).Ipv4(1)},
      {"IPv4 most options", F().Ipv4().Options(40).Udp(), K(0x0800).Ipv4(17).Further(40).Ports()},
      {"IPv4 options in two tags", F().Vlan(7).Vlan(9).Ipv4().Options(4).Tcp(),
       K(0x0800).Vlan(7, 9).Ipv4(6).Further(4).Ports().TcpFlags(0x10)},
      {"IPv4 other protocol", F().Ipv4(132).Payload(30), K(0x0800).Ipv4(132)},
      {"IPv4 authentication header", F().Ipv4(51).Payload(30), K(0x0800).Ipv4(51)},
      {"IPv4 padding", F().Ipv4().Udp().Payload(1).Padding(17), K(0x0800).Ipv4(17).Ports()},
      {"IPv4 DF", F().Ipv4().Patch(6, {0x40, 0}).Udp(), K(0x0800).Ipv4(17).Ports()},
      {"IPv4 first fragment", F().Ipv4().Fragment(0, true).Udp().Patch(4, {0x20, 0}).Payload(16),
       K(0x0800).Ipv4(17).First().Ports()},
      {"IPv4 middle fragment", F().Ipv4(17).Fragment(3, true).Payload(16),
       K(0x0800).Ipv4(17).Later()},
      {"IPv4 last fragment", F().Ipv4(6).Fragment(0x1fff, false).Payload(3),
       K(0x0800).Ipv4(6).Later()},
      {"IPv6 alone", F().Ipv6(), K(0x86dd).Ipv6(59)},
      {"IPv6 class and label", F().Ipv6().Patch(0, {0x6b, 0x9f, 0xff, 0xff}).Udp(),
       K(0x86dd).Ipv6(17).DscpEcn(0xb9).Ports()},
      {"IPv6 TCP", F().Ipv6().Tcp(), K(0x86dd).Ipv6(6).Ports().TcpFlags(0x10)},
      {"IPv6 ICMP", F().Vlan(8).Ipv6().Icmpv6(), K(0x86dd).Vlan(8).Ipv6(58)},
      {"IPv6 padding", F().Ipv6().Udp().Padding(2), K(0x86dd).Ipv6(17).Ports()},
      {"IPv6 ESP", F().Ipv6(50).Payload(40), K(0x86dd).Ipv6(50)},
      {"IPv6 payload behind no next header", F().Ipv6(59).Payload(9), K(0x86dd).Ipv6(59)},
      {"IPv6 hop-by-hop", F().Ipv6().HopByHop().Udp(), K(0x86dd).Ipv6(17).Further(8).Ports()},
      {"IPv6 all extensions",
       F().Ipv6()
           .HopByHop(1)
           .DestinationOptions(2)
           .Routing(3)
           .Fragment(0, false)
           .Authentication()
           .Extension(135, 1)
           .Extension(139, 4)
           .Extension(140)
           .Tcp(),
       K(0x86dd).Ipv6(6).Further(168).Ports().TcpFlags(0x10)},
      {"IPv6 extension alone", F().Ipv6().DestinationOptions(3), K(0x86dd).Ipv6(59).Further(32)},
      {"IPv6 least authentication header", F().Ipv6().Authentication(0).Payload(7),
       K(0x86dd).Ipv6(59).Further(12)},
      {"IPv6 atomic fragment", F().Ipv6().Fragment(0, false).Udp(),
       K(0x86dd).Ipv6(17).Further(8).Ports()},
      {"IPv6 reserved fragment bits", F().Ipv6().Fragment(0, false).Patch(3, {6}).Udp(),
       K(0x86dd).Ipv6(17).Further(8).Ports()},
      {"IPv6 first fragment",
       F().Ipv6().Fragment(0, true).DestinationOptions().Udp().Patch(4, {9, 0}).Payload(8),
       K(0x86dd).Ipv6(17).Further(16).First().Ports()},
      {"IPv6 middle fragment", F().Ipv6().Fragment(1, true).Patch(0, {17}).Payload(8),
       K(0x86dd).Ipv6(17).Further(8).Later()},
      {"IPv6 last fragment, its first header an extension",
       F().Ipv6().Fragment(0x1fff, false).Patch(0, {60}).Payload(1),
       K(0x86dd).Ipv6(60).Further(8).Later()},
  };
}

// The length below which a frame is cut short: all bytes except the padding after a datagram and
// the payload of frames that are not IP.
size_t LeastLength(const std::vector<uint8_t>& frame, const tp_key& key) {
  const size_t link = key.flags & TP_KEY_INNER ? 22 : key.flags & TP_KEY_VLAN ? 18 : 14;
  if (key.ip_version == 4) return link + tp_be16(&frame[link + 2]);
  if (key.ip_version == 6) return link + 40 + tp_be16(&frame[link + 4]);
  return link;
}

TEST(Parse, ReadsEveryShape) {
  for (const Shape& shape : Shapes()) {
    SCOPED_TRACE(shape.name);
    const std::vector<uint8_t> frame = shape.frame.Build();
    const Parsed parsed = Parse(frame);
    EXPECT_EQ(parsed.result, TP_PARSED);
    EXPECT_EQ(parsed.key, shape.key.Get(frame.size()));
  }
}

// The walk that XDP has alone, and the host where the quicker ones ended: the same, frame by frame.
TEST(Parse, TheWalkAsFarAsPossibleReadsEveryShape) {
  for (const Shape& shape : Shapes()) {
    const std::vector<uint8_t> frame = shape.frame.Build();
    const auto length = static_cast<__u32>(frame.size());
    tp_key key;
    EXPECT_EQ(
        tp_walk_as_far(frame.data(), frame.data() + length, length, kPort, TP_ALL_WORDS, &key),
        TP_PARSED)
        << shape.name;
    EXPECT_EQ(key, shape.key.Get(length)) << shape.name;
  }
}

TEST(Parse, EveryTruncationIsMalformedUntilTheDatagramIsWhole) {
  for (const Shape& shape : Shapes()) {
    const std::vector<uint8_t> frame = shape.frame.Build();
    const size_t least = LeastLength(frame, shape.key.Get(0));
    ASSERT_LE(least, frame.size()) << shape.name;
    for (size_t length = 0; length <= frame.size(); length++) {
      const Parsed parsed = Parse(std::span(frame).first(length));
      ASSERT_EQ(parsed.result, length < least ? TP_PARSE_CUT : TP_PARSED)
          << shape.name << " cut to " << length << " of " << frame.size();
      const tp_key whole = shape.key.Get(length);
      ASSERT_TRUE(length < least ? IsReadOf(parsed.key, whole) : parsed.key == whole)
          << shape.name << " at " << length;
    }
  }
}

// A frame in several segments: the first segment must hold the headers. The parser reads no other.
TEST(Parse, AFirstSegmentIsReadAsFarAsItGoesUntilTheHeadersAreWhole) {
  for (const Shape& shape : Shapes()) {
    const std::vector<uint8_t> frame = shape.frame.Build();
    bool whole = false;
    for (size_t length = 0; length <= frame.size(); length++) {
      const Parsed parsed = ParseSegment(std::span(frame).first(length), frame.size());
      if (parsed.result == TP_PARSE_TOO_DEEP) {
        ASSERT_TRUE(IsReadOf(parsed.key, shape.key.Get(frame.size())));
        ASSERT_FALSE(parsed.key.flags & TP_KEY_MALFORMED);
        ASSERT_FALSE(whole) << shape.name << ": a longer segment hid a header at " << length;
      } else {
        ASSERT_EQ(parsed.result, TP_PARSED);
        whole = true;
        ASSERT_EQ(parsed.key, shape.key.Get(frame.size())) << shape.name << " at " << length;
      }
    }
    EXPECT_TRUE(whole) << shape.name;
  }
}

// A datapath asks only for those words of the key that its rules use. No other word is written:
// that would cost time.
TEST(Parse, SomeWordsOfAKeyAreThoseOfTheWhole) {
  for (const Shape& shape : Shapes()) {
    const std::vector<uint8_t> frame = shape.frame.Build();
    for (size_t length = 0; length <= frame.size(); length += length < 14 ? 1 : 7) {
      const Parsed whole = Parse(std::span(frame).first(length));
      for (__u32 words = 0; words <= TP_ALL_WORDS; words++) {
        tp_key some;
        std::memset(&some, 0xee, sizeof(some));
        ASSERT_EQ(tp_parse_words(frame.data(), frame.data() + length, static_cast<__u32>(length),
                                 kPort, words, &some),
                  whole.result);
        for (size_t i = 0; i < TP_KEY_WORDS; i++) {
          const uint64_t asked = i == 7 && !(words & TP_WORD_LENGTH) ? 0xffffffff : ~uint64_t{0};
          const uint64_t expected = reinterpret_cast<const tp_u64_alias*>(&whole.key)[i] & asked;
          ASSERT_EQ(reinterpret_cast<const tp_u64_alias*>(&some)[i],
                    words & TP_WORD(i) ? expected : 0xeeeeeeeeeeeeeeee)
              << shape.name << " word " << i;
        }
      }
    }
  }
}

TEST(Parse, WalksEightExtensionsAndNoMore) {
  for (uint8_t type : {0, 43, 60, 135, 139, 140}) {
    FrameBuilder builder;
    builder.Ipv6();
    for (int i = 0; i < TP_MAX_EXTENSIONS; i++) builder.Extension(type);
    FrameBuilder ninth = builder;
    const std::vector<uint8_t> frame = builder.Udp().Build();
    const Parsed parsed = Parse(frame);
    EXPECT_EQ(parsed.result, TP_PARSED) << int{type};
    const auto extensions = static_cast<uint16_t>(frame.size() - 54 - 8);
    EXPECT_EQ(parsed.key, Key(0x86dd).Ipv6(17).Further(extensions).Ports().Get(frame.size()));
    FrameBuilder later = ninth;
    EXPECT_EQ(Parse(ninth.Extension(type).Udp().Build()).result, TP_PARSE_TOO_DEEP) << int{type};
    EXPECT_EQ(Parse(later.Fragment(5, false).Payload(8).Build()).result, TP_PARSE_TOO_DEEP);
  }
}

TEST(Parse, AcceptsALaterFragmentAsTheEighthExtension) {
  FrameBuilder builder;
  builder.Ipv6();
  for (int i = 1; i < TP_MAX_EXTENSIONS; i++) builder.HopByHop();
  const auto frame = builder.Fragment(5, false).Patch(0, {60}).Payload(8).Build();
  const Parsed parsed = Parse(frame);
  EXPECT_EQ(parsed.result, TP_PARSED);
  EXPECT_EQ(parsed.key, Key(0x86dd).Ipv6(60).Further(64).Later().Get(frame.size()));
}

TEST(Parse, ReadsHeadersThatStartInTheWindowOnly) {
  // 54 bytes of Ethernet and IPv6, then one extension of `units` + 1 units, then UDP.
  auto frame = [](size_t first, size_t second) {
    return FrameBuilder().Ipv6().DestinationOptions(first).DestinationOptions(second).Udp().Build();
  };
  EXPECT_EQ(Parse(frame(100, 18)).result, TP_PARSED) << "UDP at 54 + 808 + 152 = 1014";
  EXPECT_EQ(Parse(frame(100, 19)).key, Key(0x86dd).Ipv6(17).Further(968).Ports().Get(1030))
      << "at 1022";
  EXPECT_EQ(Parse(frame(100, 20)).result, TP_PARSE_TOO_DEEP) << "at 1030";
  EXPECT_EQ(Parse(frame(255, 0)).result, TP_PARSE_TOO_DEEP) << "an extension at 2102";
  // If the parser reads nothing after the extension, it may end outside the window.
  const auto far = FrameBuilder().Ipv6().DestinationOptions(200).Payload(4).Build();
  EXPECT_EQ(Parse(far).key, Key(0x86dd).Ipv6(59).Further(1608).Get(far.size()));
}

// RFC 2675. The parser sees only the first segment of 70,000 bytes.
TEST(Parse, ReadsJumbograms) {
  const size_t kLength = 70000;
  const auto udp = FrameBuilder().Ipv6().Jumbo(70000).Udp().Patch(4, {0, 0}).Payload(100).Build();
  const tp_key key = Key(0x86dd).Ipv6(17).Further(8).Ports().Get(65535);
  EXPECT_EQ(ParseSegment(udp, 54 + kLength).key, key);
  EXPECT_EQ(ParseSegment(udp, 54 + kLength + 4).key, key);
  EXPECT_EQ(ParseSegment(udp, 54 + kLength - 1).result, TP_PARSE_CUT);
  const auto tcp = FrameBuilder().Ipv6().Jumbo(70000).Tcp().Payload(100).Build();
  EXPECT_EQ(ParseSegment(tcp, 54 + kLength).key,
            Key(0x86dd).Ipv6(6).Further(8).Ports().TcpFlags(0x10).Get(65535));
}

TEST(Parse, PaddingBehindTheDatagramIsNoHeader) {
  // An IPv4 datagram of 20 bytes, with a UDP header in the padding.
  const auto frame = FrameBuilder().Ipv4(17).Padding(26).Build();
  EXPECT_EQ(Parse(frame).key, Key(0x0800).Ipv4(17).Malformed().Get(frame.size()));
  const auto other = FrameBuilder().Ipv4(253).Padding(26).Build();
  EXPECT_EQ(Parse(other).key, Key(0x0800).Ipv4(253).Get(other.size()));
}

}  // namespace
}  // namespace twinpath
