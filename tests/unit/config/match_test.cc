// SPDX-License-Identifier: BSD-3-Clause
// The match of a rule: the meaning of each field, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

MatchSpec ParseOneMatch(const std::string& match) {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat(R"({"version": 1, "rules": [{"match": {)", match, "}}]}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? policy->rules[0].match : MatchSpec();
}

// Returns the error without the prefix that all errors of a match share.
std::string MatchError(const std::string& match) {
  absl::Status status =
      ParsePolicy(absl::StrCat(R"({"version": 1, "rules": [{}, {"match": {)", match, "}}]}"), "p")
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << match;
  std::string error(status.message());
  EXPECT_EQ(error.substr(0, 17), "p: /rules/1/match") << error;
  return error.substr(std::min<size_t>(error.size(), 17));
}

TEST(MatchTest, EveryFieldOfAMatchIsRead) {
  MatchSpec m = ParseOneMatch(R"("port": "lan", "ether_type": "ipv4", "vlan": 4094,
    "src_mac": "02:00:00:00:00:0a", "dst_mac": "FF:fF:00:01:02:03", "ip_version": 4,
    "src": "10.0.0.0/8", "dst": "192.0.2.1", "proto": "udp", "src_port": 0,
    "dst_port": "5000-5999")");
  EXPECT_EQ(m.port, "lan");
  EXPECT_EQ(m.ether_type, 0x0800);
  EXPECT_EQ(m.vlan, (VlanMatch{false, {4094}}));
  const std::array<uint8_t, 6> whole = {255, 255, 255, 255, 255, 255};
  EXPECT_EQ(m.src_mac, (MacMatch{{2, 0, 0, 0, 0, 10}, whole}));
  EXPECT_EQ(m.dst_mac, (MacMatch{{255, 255, 0, 1, 2, 3}, whole}));
  EXPECT_EQ(m.ip_version, 4);
  EXPECT_EQ(m.src->version, 4);
  EXPECT_EQ(m.src->length, 8);
  EXPECT_EQ(m.src->bytes[0], 10);
  EXPECT_EQ(m.dst->length, 32);
  EXPECT_EQ(m.proto, 17);
  EXPECT_EQ(m.src_port->first, 0);
  EXPECT_EQ(m.src_port->last, 0);
  EXPECT_EQ(m.dst_port->first, 5000);
  EXPECT_EQ(m.dst_port->last, 5999);
}

TEST(MatchTest, AFieldMayBeWrittenInSeveralWays) {
  EXPECT_EQ(ParseOneMatch(R"("ether_type": 34525)").ether_type, 0x86dd);
  EXPECT_EQ(ParseOneMatch(R"("ether_type": "0x86DD")").ether_type, 0x86dd);
  EXPECT_EQ(ParseOneMatch(R"("ether_type": "ipv6")").ether_type, 0x86dd);
  EXPECT_EQ(ParseOneMatch(R"("ether_type": "arp")").ether_type, 0x0806);
  EXPECT_EQ(ParseOneMatch(R"("proto": 255)").proto, 255);
  EXPECT_EQ(ParseOneMatch(R"("proto": "icmpv6")").proto, 58);
  EXPECT_EQ(ParseOneMatch(R"("proto": "sctp")").proto, 132);
  EXPECT_EQ(ParseOneMatch(R"("dst_port": "53")").dst_port->last, 53);
  EXPECT_EQ(ParseOneMatch(R"("dst_port": "53-53")").dst_port->last, 53);
  EXPECT_EQ(ParseOneMatch(R"("vlan": "none")").vlan, (VlanMatch{true, {}}));
  EXPECT_EQ(ParseOneMatch(R"("dst": "2001:db8::/32")").dst->version, 6);
  EXPECT_EQ(ParseOneMatch(R"("dst": "::")").dst->length, 128);
  EXPECT_EQ(ParseOneMatch(R"("dst": "0.0.0.0/0")").dst->length, 0);
}

TEST(MatchTest, HostBitsAreShownBesideTheRightNetwork) {
  EXPECT_EQ(MatchError(R"("dst": "10.0.0.1/8")"),
            "/dst: found \"10.0.0.1/8\", which has host bits set after /8, allowed "
            "\"10.0.0.0/8\", or \"10.0.0.1\" for that one address");
  EXPECT_EQ(MatchError(R"("src": "2001:db8::1/64")"),
            "/src: found \"2001:db8::1/64\", which has host bits set after /64, allowed "
            "\"2001:db8::/64\", or \"2001:db8::1\" for that one address");
  EXPECT_EQ(MatchError(R"("src": "192.168.3.0/23")"),
            "/src: found \"192.168.3.0/23\", which has host bits set after /23, allowed "
            "\"192.168.2.0/23\", or \"192.168.3.0\" for that one address");
}

TEST(MatchTest, WhatIsNoAddressIsRefused) {
  for (const char* address :
       {"\"\"", "\"10.0.0\"", "\"10.0.0.256\"", "\"010.0.0.1\"", "\"::1%lo\"", "\"host\"",
        "\"1::2::3\"", "1", "\" 10.0.0.1\"", "\"10.0.0.1\\u0000\""}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"src\": ", address)),
              absl::StrCat("/src: found ", address,
                           ", allowed an address or network such as \"192.0.2.1\", "
                           "\"10.0.0.0/8\" or \"2001:db8::/32\""));
  }
  for (const char* address : {"\"10.0.0.0/33\"", "\"10.0.0.0/\"", "\"10.0.0.0/-1\"",
                              "\"10.0.0.0/8/8\"", "\"10.0.0.0/08\"", "\"10.0.0.0/255.0.0.0\""}) {
    EXPECT_EQ(
        MatchError(absl::StrCat("\"src\": ", address)),
        absl::StrCat("/src: found ", address, ", allowed a prefix length from 0 to 32 for IPv4"));
  }
  EXPECT_EQ(MatchError(R"("src": "::/129")"),
            "/src: found \"::/129\", allowed a prefix length from 0 to 128 for IPv6");
}

TEST(MatchTest, OutOfRangeFieldsAreRefused) {
  const char kPort[] = "allowed a port from 0 to 65535, or a range such as \"5000-5999\"";
  for (const char* port : {"65536", "-1", "1.5", "\"65536\"", "\"1-65536\"", "\"-5\"", "\"5-\"",
                           "\"1-2-3\"", "\"0080\"", "\"http\"", "\"\"", "null", "[1]"}) {
    EXPECT_NE(MatchError(absl::StrCat("\"dst_port\": ", port)).find(kPort), std::string::npos)
        << port;
  }
  for (const char* vlan : {"4095", "-1", "\"5\"", "\"any\"", "null"}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"vlan\": ", vlan)),
              absl::StrCat("/vlan: found ", vlan,
                           ", allowed the outer tag's VID from 0 to 4094, \"none\", or an array of "
                           "all tags, outer first, at most 2"));
  }
  for (const char* proto : {"256", "-1", "\"TCP\"", "\"6\"", "null"}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"proto\": ", proto)),
              absl::StrCat("/proto: found ", proto,
                           ", allowed 0 to 255, or a name: icmp, igmp, tcp, udp, dccp, gre, esp, "
                           "icmpv6, ospf, vrrp, sctp, udplite"));
  }
  for (const char* type :
       {"65536", "-1", "\"0x\"", "\"0x10000\"", "\"86dd\"", "\"vlan\"", "\"0x-1\""}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"ether_type\": ", type)),
              absl::StrCat("/ether_type: found ", type,
                           ", allowed 0 to 65535, \"0x0\" to \"0xffff\", or a name: ipv4, ipv6, "
                           "arp, rarp, mpls, eapol, lldp, ptp"));
  }
  for (const char* mac :
       {"\"02:00:00:00:00\"", "\"02:00:00:00:00:0g\"", "\"02-00-00-00-00-01\"",
        "\"02:00:00:00:00:01:02\"", "\"2:0:0:0:0:1\"", "\"02:00:00:00:00:00/49\"",
        "\"02:00:00:00:00:00/\"", "\"02:00:00:00:00:00/08\"", "\"02:00:00:00:00:00/ff:00\"", "1"}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"src_mac\": ", mac)),
              absl::StrCat("/src_mac: found ", mac,
                           ", allowed a MAC address such as \"02:00:00:00:00:01\", or some of its "
                           "bits, such as \"02:00:00:00:00:00/8\" or "
                           "\"01:00:00:00:00:00/01:00:00:00:00:00\""));
  }
  for (const char* version : {"5", "\"4\"", "4.0", "null"}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"ip_version\": ", version)),
              absl::StrCat("/ip_version: found ", version, ", allowed 4 or 6"));
  }
}

TEST(MatchTest, AReversedRangeIsShownTheRightWayRound) {
  EXPECT_EQ(MatchError(R"("dst_port": "5999-5000")"),
            "/dst_port: found \"5999-5000\", a range that runs backwards, allowed \"5000-5999\"");
}

TEST(MatchTest, FieldsThatNoPacketCanMeetTogetherAreRefused) {
  const char kOnePacket[] = ", allowed fields that one packet can match";
  EXPECT_EQ(MatchError(R"("src": "10.0.0.1", "dst": "::1")"),
            "/dst: found an IPv6 dst with an IPv4 src, allowed addresses of one version");
  EXPECT_EQ(MatchError(R"("src": "10.0.0.1", "ip_version": 6)"),
            absl::StrCat("/src: found an IPv4 src with ip_version 6", kOnePacket));
  EXPECT_EQ(MatchError(R"("dst": "::/0", "ether_type": "ipv4")"),
            absl::StrCat("/dst: found an IPv6 dst with ether_type 0x800", kOnePacket));
  EXPECT_EQ(
      MatchError(R"("ip_version": 6, "ether_type": "arp")"),
      absl::StrCat("/ip_version: found an IPv6 ip_version with ether_type 0x806", kOnePacket));
  EXPECT_EQ(MatchError(R"("proto": "tcp", "ether_type": "arp")"),
            "/proto: found proto with ether_type 0x806, allowed ether_type ipv4, ipv6 or "
            "none");
  EXPECT_EQ(MatchError(R"("proto": "sctp", "dst_port": 80)"),
            "/dst_port: found dst_port with proto 132, allowed proto tcp, udp or none");
  EXPECT_EQ(MatchError(R"("src_port": 1, "ether_type": 2054)"),
            "/src_port: found src_port with ether_type 0x806, allowed ether_type ipv4, "
            "ipv6 or none");
  EXPECT_TRUE(ParseOneMatch(R"("src_port": 1, "ether_type": "ipv6", "proto": 17)").src_port);
}

TEST(MatchTest, TagsAreOneOrAWholeStack) {
  const std::optional<uint16_t> any;
  EXPECT_EQ(ParseOneMatch(R"("vlan": 0)").vlan, (VlanMatch{false, {0}}));
  EXPECT_EQ(ParseOneMatch(R"("vlan": [])").vlan, (VlanMatch{true, {}}));
  EXPECT_EQ(ParseOneMatch(R"("vlan": [100])").vlan, (VlanMatch{true, {100}}));
  EXPECT_EQ(ParseOneMatch(R"("vlan": ["any"])").vlan, (VlanMatch{true, {any}}));
  EXPECT_EQ(ParseOneMatch(R"("vlan": [100, 4094])").vlan, (VlanMatch{true, {100, 4094}}));
  EXPECT_EQ(ParseOneMatch(R"("vlan": ["any", 7])").vlan, (VlanMatch{true, {any, 7}}));
  EXPECT_EQ(MatchError(R"("vlan": [1, 2, 3])"),
            "/vlan: found an array of 3, allowed the outer tag's VID from 0 to 4094, \"none\", or "
            "an array of all tags, outer first, at most 2");
  for (const char* tag : {"4095", "\"none\"", "-1", "[1]", "null"}) {
    EXPECT_EQ(MatchError(absl::StrCat("\"vlan\": [1, ", tag, "]")).substr(0, 15),
              "/vlan/1: found ");
  }
}

TEST(MatchTest, AMacAddressMayHaveAMask) {
  EXPECT_EQ(ParseOneMatch(R"("src_mac": "02:00:00:00:00:00/8")").src_mac,
            (MacMatch{{2, 0, 0, 0, 0, 0}, {255, 0, 0, 0, 0, 0}}));
  EXPECT_EQ(ParseOneMatch(R"("src_mac": "02:00:5e:80:00:00/25")").src_mac,
            (MacMatch{{2, 0, 0x5e, 0x80, 0, 0}, {255, 255, 255, 0x80, 0, 0}}));
  EXPECT_EQ(ParseOneMatch(R"("src_mac": "02:00:00:00:00:01/48")").src_mac,
            ParseOneMatch(R"("src_mac": "02:00:00:00:00:01")").src_mac);
  EXPECT_EQ(ParseOneMatch(R"("dst_mac": "01:00:00:00:00:00/01:00:00:00:00:00")").dst_mac,
            (MacMatch{{1, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}}));
  EXPECT_EQ(ParseOneMatch(R"("dst_mac": "00:00:00:00:00:00/0")").dst_mac, MacMatch());
  EXPECT_EQ(MatchError(R"("dst_mac": "02:00:00:00:00:01/8")"),
            "/dst_mac: found \"02:00:00:00:00:01/8\", which has bits set outside its mask, allowed "
            "\"02:00:00:00:00:00/8\", or \"02:00:00:00:00:01\" for that one address");
  EXPECT_EQ(MatchError(R"("dst_mac": "03:00:00:00:00:00/01:00:00:00:00:00")"),
            "/dst_mac: found \"03:00:00:00:00:00/01:00:00:00:00:00\", which has bits set outside "
            "its mask, allowed \"01:00:00:00:00:00/01:00:00:00:00:00\", or \"03:00:00:00:00:00\" "
            "for that one address");
}

TEST(MatchTest, TcpFlagsAreSetOrClear) {
  EXPECT_EQ(ParseOneMatch(R"("tcp_flags": "syn,!ack")").tcp_flags, (FlagsMatch{0x02, 0x10}));
  EXPECT_EQ(ParseOneMatch(R"("tcp_flags": "fin,syn,rst,psh,ack,urg,ece,cwr")").tcp_flags,
            (FlagsMatch{0xff, 0}));
  EXPECT_EQ(ParseOneMatch(R"("tcp_flags": "!cwr", "proto": "tcp")").tcp_flags,
            (FlagsMatch{0, 0x80}));
  for (const char* flags : {"\"\"", "\"SYN\"", "\"syn,\"", "\",\"", "\"!\"", "\"!!syn\"",
                            "\"syn, ack\"", "2", "[\"syn\"]", "null"}) {
    EXPECT_NE(MatchError(absl::StrCat("\"tcp_flags\": ", flags))
                  .find("allowed flags separated by commas, with '!' before a clear flag, such "
                        "as \"syn,!ack\": fin, syn, rst, psh, ack, urg, ece, cwr"),
              std::string::npos)
        << flags;
  }
  EXPECT_EQ(MatchError(R"("tcp_flags": "syn,!syn")"),
            "/tcp_flags: found \"syn,!syn\", with syn twice, allowed each flag once: it is set or "
            "it is clear");
}

TEST(MatchTest, DscpAndEcnAreNumbersOrNames) {
  EXPECT_EQ(ParseOneMatch(R"("dscp": 63)").dscp, 63);
  EXPECT_EQ(ParseOneMatch(R"("dscp": "ef")").dscp, 46);
  EXPECT_EQ(ParseOneMatch(R"("dscp": "af43")").dscp, 38);
  EXPECT_EQ(ParseOneMatch(R"("dscp": "cs7")").dscp, 56);
  EXPECT_EQ(ParseOneMatch(R"("dscp": "be")").dscp, 0);
  EXPECT_EQ(ParseOneMatch(R"("ecn": 0)").ecn, 0);
  EXPECT_EQ(ParseOneMatch(R"("ecn": "ect0")").ecn, 2);  // RFC 3168: ECT(0) is 10, ECT(1) is 01
  EXPECT_EQ(ParseOneMatch(R"("ecn": "ect1")").ecn, 1);
  EXPECT_EQ(ParseOneMatch(R"("ecn": "ce")").ecn, 3);
  EXPECT_EQ(MatchError(R"("dscp": 64)").substr(0, 60),
            "/dscp: found 64, allowed 0 to 63, or a name: cs0, le, cs1, a");
  EXPECT_EQ(MatchError(R"("ecn": "CE")"),
            "/ecn: found \"CE\", allowed 0 to 3, or a name: not-ect, ect1, ect0, ce");
}

TEST(MatchTest, MalformedIsTrueOrFalse) {
  EXPECT_EQ(ParseOneMatch("").malformed, std::nullopt);
  EXPECT_EQ(ParseOneMatch(R"("malformed": true)").malformed, true);
  EXPECT_EQ(ParseOneMatch(R"("malformed": false, "src": "10.0.0.0/8")").malformed, false);
  EXPECT_EQ(MatchError(R"("malformed": "drop")"),
            "/malformed: found \"drop\", allowed true or false");
  EXPECT_EQ(MatchError(R"("malformed": 1)"), "/malformed: found 1, allowed true or false");
}

TEST(MatchTest, FragmentsAndLengthsAreRead) {
  EXPECT_EQ(ParseOneMatch(R"("fragment": false)").fragment, FragmentMatch::kNone);
  EXPECT_EQ(ParseOneMatch(R"("fragment": true)").fragment, FragmentMatch::kAny);
  EXPECT_EQ(ParseOneMatch(R"("fragment": "first")").fragment, FragmentMatch::kFirst);
  EXPECT_EQ(ParseOneMatch(R"("fragment": "later")").fragment, FragmentMatch::kLater);
  EXPECT_EQ(MatchError(R"("fragment": "any")"),
            "/fragment: found \"any\", allowed true, false, \"first\" or \"later\"");
  EXPECT_EQ(ParseOneMatch(R"("length": 60)").length, (LengthRange{60, 60}));
  EXPECT_EQ(ParseOneMatch(R"("length": "64-65535")").length, (LengthRange{64, 65535}));
  EXPECT_EQ(MatchError(R"("length": 65536)"),
            "/length: found 65536, allowed a frame's bytes from 0 to 65535 (that and more), or a "
            "range such as \"64-127\"");
  EXPECT_EQ(MatchError(R"("length": "127-64")"),
            "/length: found \"127-64\", a range that runs backwards, allowed \"64-127\"");
}

TEST(MatchTest, HeaderFieldsThatNoPacketCanMeetTogetherAreRefused) {
  EXPECT_EQ(MatchError(R"("tcp_flags": "syn", "proto": "udp")"),
            "/tcp_flags: found tcp_flags with proto 17, allowed proto tcp or none");
  for (const char* field : {R"("tcp_flags": "syn")", R"("src_port": 1)", R"("dst_port": 1)"}) {
    EXPECT_NE(
        MatchError(absl::StrCat(field, R"(, "fragment": "later")"))
            .find(" with fragment \"later\", allowed another fragment: only a first fragment has a "
                  "transport header"),
        std::string::npos)
        << field;
  }
  for (const char* field : {R"("tcp_flags": "syn")", R"("dscp": 0)", R"("ecn": "ce")",
                            R"("fragment": true)", R"("fragment": "later")"}) {
    EXPECT_NE(MatchError(absl::StrCat(R"("ether_type": "arp", )", field))
                  .find(" with ether_type 0x806, allowed ether_type ipv4, ipv6 or none"),
              std::string::npos)
        << field;
  }
  // ARP is no fragment.
  EXPECT_TRUE(ParseOneMatch(R"("ether_type": "arp", "fragment": false)").fragment);
  EXPECT_TRUE(ParseOneMatch(R"("tcp_flags": "syn", "src_port": 1, "fragment": "first")").fragment);
}

}  // namespace
}  // namespace twinpath
