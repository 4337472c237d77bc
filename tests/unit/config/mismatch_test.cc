// SPDX-License-Identifier: BSD-3-Clause
// The reason why a packet does not match: there is one iff the packet does not match, and its
// words.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "src/config/describe/mismatch.h"
#include "src/policy/parse.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/match_oracle.h"

namespace twinpath {
namespace {

const std::vector<std::string> kPorts = {"a", "b", "c"};

TEST(MismatchTest, ThereIsOneIffThePacketDoesNotMeetTheMatch) {
  MatchGenerator generate(20261123, kPorts);
  size_t met = 0, missed = 0;
  for (int i = 0; i < 20000; i++) {
    const tp_key like = generate.Key();
    MatchSpec match = generate.Match(like);
    generate.AddLaterFields(like, &match);
    const tp_key key = i % 3 ? like : generate.Key();
    const std::optional<Mismatch> mismatch = FindMismatch(match, key, kPorts);
    ASSERT_EQ(mismatch.has_value(), !Matches(match, key, kPorts))
        << i << ": " << (mismatch ? mismatch->reason : "");
    if (mismatch) {
      ASSERT_EQ(mismatch->reason.rfind(mismatch->field, 0), 0u) << mismatch->reason;
    }
    (mismatch ? missed : met)++;
  }
  EXPECT_GT(met, 2000u);
  EXPECT_GT(missed, 2000u);
}

// Returns the reason for a frame that port a received.
std::string Why(const FrameBuilder& frame, const std::function<void(MatchSpec*)>& set) {
  const std::vector<uint8_t> bytes = frame.Build();
  tp_key key;
  tp_parse(bytes.data(), bytes.data() + bytes.size(), static_cast<uint32_t>(bytes.size()), 0, &key);
  MatchSpec match;
  set(&match);
  const std::optional<Mismatch> mismatch = FindMismatch(match, key, kPorts);
  return mismatch ? mismatch->reason : "";
}

FrameBuilder Tcp() {
  FrameBuilder frame;
  return frame.Ipv4().Tcp(1111, 80, 0x02);
}
FrameBuilder Arp() {
  FrameBuilder frame;
  return frame.EtherType(0x0806).Payload(28);
}
FrameBuilder Tagged(std::vector<uint16_t> tags) {
  FrameBuilder frame;
  for (uint16_t tag : tags) frame.Vlan(tag);
  return frame.Ipv4();
}
AddressPrefix Prefix(uint8_t first, int length) { return {4, {first}, length}; }

TEST(MismatchTest, LinkFieldsInWords) {
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->port = std::string(1, 'b'); }), "port a is not b");
  EXPECT_EQ(Why(Arp(), [](MatchSpec* m) { m->ether_type = uint16_t{0x86dd}; }),
            "ether_type arp is not ipv6");
  EXPECT_EQ(Why(Arp(), [](MatchSpec* m) { m->ether_type = uint16_t{0x1234}; }),
            "ether_type arp is not 0x1234");
  EXPECT_EQ(Why(Tagged({}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{false, {5}};
                }),
            "vlan: the frame has no tag");
  EXPECT_EQ(Why(Tagged({7}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{false, {5}};
                }),
            "vlan 7 of the outer tag is not 5");
  EXPECT_EQ(Why(Tagged({7}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{true, {}};
                }),
            "vlan: the frame has a tag, 7");
  EXPECT_EQ(Why(Tagged({7, 8}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{true, {7}};
                }),
            "vlan: the frame has a second tag, 8");
  EXPECT_EQ(Why(Tagged({7}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{true, {7, 8}};
                }),
            "vlan: the frame has no second tag");
  EXPECT_EQ(Why(Tagged({7, 9}),
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{true, {std::nullopt, 8}};
                }),
            "vlan 9 of the second tag is not 8");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->src_mac = MacMatch{{2, 0, 0, 0, 0, 9}, {255, 255, 255, 255, 255, 255}};
                }),
            "src_mac 02:00:00:00:00:01 is not 02:00:00:00:00:09");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->dst_mac = MacMatch{{1}, {1}};
                }),
            "dst_mac 02:00:00:00:00:02 is not in 01:00:00:00:00:00/01:00:00:00:00:00");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->length = LengthRange{64, 127};
                }),
            "length 54 is not in 64-127");
}

TEST(MismatchTest, IpFieldsInWords) {
  EXPECT_EQ(Why(Arp(), [](MatchSpec* m) { m->ip_version = 4; }),
            "ip_version: the frame has no IP header");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->ip_version = 6; }), "ip_version 4 is not 6");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->src = Prefix(11, 8); }),
            "src 10.1.0.1 is not in 11.0.0.0/8");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->dst = Prefix(10, 32); }),
            "dst 10.2.0.2 is not 10.0.0.0");
  EXPECT_EQ(Why(FrameBuilder().Ipv6(), [](MatchSpec* m) { m->dst = Prefix(10, 8); }),
            "dst 2001:db8::2 is not in 10.0.0.0/8");
  EXPECT_EQ(Why(Arp(), [](MatchSpec* m) { m->dst = Prefix(10, 8); }),
            "dst: the frame has no IP header");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->proto = uint8_t{17}; }), "proto tcp is not udp");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->proto = uint8_t{253}; }), "proto tcp is not 253");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->dscp = uint8_t{46}; }), "dscp cs0 is not ef");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->ecn = uint8_t{3}; }), "ecn not-ect is not ce");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->fragment = FragmentMatch::kAny; }),
            "fragment: the packet is not a fragment");
  const FrameBuilder first = FrameBuilder().Ipv4().Fragment(0, true).Payload(16);
  const FrameBuilder later = FrameBuilder().Ipv4(17).Fragment(2, true).Payload(16);
  EXPECT_EQ(Why(first, [](MatchSpec* m) { m->fragment = FragmentMatch::kNone; }),
            "fragment: the packet is a fragment");
  EXPECT_EQ(Why(first, [](MatchSpec* m) { m->fragment = FragmentMatch::kLater; }),
            "fragment: it is the first");
  EXPECT_EQ(Why(later, [](MatchSpec* m) { m->fragment = FragmentMatch::kFirst; }),
            "fragment: it is not the first");
  EXPECT_EQ(Why(later,
                [](MatchSpec* m) {
                  m->dst_port = PortRange{80, 80};
                }),
            "dst_port: a fragment after the first has no transport header");
}

TEST(MismatchTest, TransportFieldsInWords) {
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->dst_port = PortRange{53, 53};
                }),
            "dst_port 80 is not 53");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->src_port = PortRange{5000, 5999};
                }),
            "src_port 1111 is not in 5000-5999");
  const FrameBuilder icmp = FrameBuilder().Ipv4().Icmp();
  EXPECT_EQ(Why(icmp,
                [](MatchSpec* m) {
                  m->dst_port = PortRange{53, 53};
                }),
            "dst_port: proto icmp has no TCP or UDP header");
  EXPECT_EQ(Why(icmp,
                [](MatchSpec* m) {
                  m->tcp_flags = FlagsMatch{2, 0};
                }),
            "tcp_flags: proto icmp has no TCP header");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->tcp_flags = FlagsMatch{0x12, 0};
                }),
            "tcp_flags: ack is clear");
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->tcp_flags = FlagsMatch{0, 0x02};
                }),
            "tcp_flags: syn is set");
}

TEST(MismatchTest, WhatCouldNotBeReadIsTold) {
  const FrameBuilder cut_tag = FrameBuilder().EtherType(0x8100).Bytes({0});
  EXPECT_EQ(Why(cut_tag,
                [](MatchSpec* m) {
                  m->vlan = VlanMatch{true, {}};
                }),
            "vlan: the Ethernet header could not be read");
  EXPECT_EQ(Why(cut_tag, [](MatchSpec* m) { m->ether_type = uint16_t{0x8100}; }),
            "ether_type: the Ethernet header could not be read");
  EXPECT_EQ(Why(cut_tag, [](MatchSpec* m) { m->src_mac = MacMatch{}; }),
            "src_mac: the Ethernet header could not be read");
  const FrameBuilder cut_ip = FrameBuilder().EtherType(0x0800).Payload(19);
  EXPECT_EQ(Why(cut_ip, [](MatchSpec* m) { m->ether_type = uint16_t{0x0800}; }), "");
  EXPECT_EQ(Why(cut_ip, [](MatchSpec* m) { m->dst = Prefix(0, 0); }),
            "dst: the IP header could not be read");
  EXPECT_EQ(Why(cut_ip, [](MatchSpec* m) { m->fragment = FragmentMatch::kNone; }),
            "fragment: the headers could not be read to the end");
  const FrameBuilder cut_chain = FrameBuilder().Ipv6(60).Payload(7);
  EXPECT_EQ(Why(cut_chain, [](MatchSpec* m) { m->ip_version = 6; }), "");
  EXPECT_EQ(Why(cut_chain, [](MatchSpec* m) { m->proto = uint8_t{0}; }),
            "proto: the headers in front of it could not be read to the end");
  EXPECT_EQ(Why(cut_chain,
                [](MatchSpec* m) {
                  m->dst_port = PortRange{0, 65535};
                }),
            "dst_port: the headers in front of it could not be read to the end");
  const FrameBuilder cut_tcp = FrameBuilder().Ipv4(6).Payload(19);
  EXPECT_EQ(Why(cut_tcp, [](MatchSpec* m) { m->proto = uint8_t{6}; }), "");
  EXPECT_EQ(Why(cut_tcp,
                [](MatchSpec* m) {
                  m->dst_port = PortRange{0, 65535};
                }),
            "dst_port: the tcp header could not be read");
  EXPECT_EQ(Why(cut_tcp, [](MatchSpec* m) { m->tcp_flags = FlagsMatch{}; }),
            "tcp_flags: the tcp header could not be read");
  EXPECT_EQ(Why(cut_tcp, [](MatchSpec* m) { m->malformed = false; }),
            "malformed: the frame is malformed");
  EXPECT_EQ(Why(cut_tcp, [](MatchSpec* m) { m->malformed = true; }), "");
  EXPECT_EQ(Why(Tcp(), [](MatchSpec* m) { m->malformed = true; }),
            "malformed: the frame is not malformed");
}

TEST(MismatchTest, TheFirstFieldThatFailsIsTold) {
  EXPECT_EQ(Why(Tcp(),
                [](MatchSpec* m) {
                  m->length = LengthRange{1, 2};
                  m->dst_port = PortRange{53, 53};
                  m->proto = uint8_t{6};
                }),
            "dst_port 80 is not 53");
}

}  // namespace
}  // namespace twinpath
