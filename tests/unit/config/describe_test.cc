// SPDX-License-Identifier: BSD-3-Clause
// A policy in words: what a rule matches, when it holds, and what becomes of its packets.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/describe/check_report.h"
#include "src/config/describe/describe.h"
#include "src/text/words.h"
#include "tests/unit/config/check_words.h"

namespace twinpath {
namespace {

std::string MatchWords(const std::string& match) {
  return CheckWords(absl::StrCat(R"("rules": [{"match": {)", match, "}}]"), {"lan"}).rules[0].match;
}

std::string FateWords(const std::string& members) {
  return CheckWords(absl::StrCat(R"("default": {)", members, "}"), {"wan"}).rules[0].fate;
}

TEST(WordsTest, PercentagesHaveOneForm) {
  EXPECT_EQ(PercentText(0), "0 %");
  EXPECT_EQ(PercentText(1), "100 %");
  EXPECT_EQ(PercentText(0.5), "50 %");
  EXPECT_EQ(PercentText(0.00123456789), "0.123457 %");
  EXPECT_EQ(PercentText(0.00123456789, 3), "0.123 %");
  EXPECT_EQ(PercentText(1e-9), "1e-07 %");
  EXPECT_EQ(ChangeText(0.034), "+3.4 %");
  EXPECT_EQ(ChangeText(-0.5), "-50 %");
  EXPECT_EQ(ChangeText(0), "+0 %");
  EXPECT_EQ(PercentOf("5%"), "5 %");
  EXPECT_EQ(PercentOf("0.05"), "5 %");
  EXPECT_EQ(PercentOf("five"), "five");
}

TEST(DescribeTest, AMatchIsSaidInWords) {
  EXPECT_EQ(MatchWords(""), "everything");
  EXPECT_EQ(MatchWords(R"("port": "lan")"), "everything on port lan");
  EXPECT_EQ(MatchWords(R"("port": "lan", "proto": "udp", "dst": "10.0.0.0/8",
                          "dst_port": "5000-5999")"),
            "UDP from anywhere on port lan to 10.0.0.0/8, destination ports 5000 to 5999");
  EXPECT_EQ(MatchWords(R"("src": "2001:db8::1", "src_port": 7)"),
            "TCP or UDP from 2001:db8::1 to anywhere, source port 7");
  EXPECT_EQ(MatchWords(R"("ip_version": 6, "proto": "icmpv6", "vlan": 5)"),
            "ICMPv6 over IPv6 in VLAN 5");
  EXPECT_EQ(MatchWords(R"("ether_type": "arp", "vlan": "none", "src_mac": "02:00:00:00:00:0A")"),
            "ARP without a VLAN tag, source MAC 02:00:00:00:00:0a");
  EXPECT_EQ(MatchWords(R"("ether_type": 2989, "dst_mac": "ff:ff:ff:ff:ff:ff")"),
            "EtherType 0x0bad, destination MAC ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(MatchWords(R"("proto": 99)"), "IP protocol 99");
  EXPECT_EQ(MatchWords(R"("dst": "0.0.0.0/0")"), "IP from anywhere to 0.0.0.0/0");
}

TEST(DescribeTest, AFateIsSaidInWords) {
  EXPECT_EQ(FateWords(""), "pass to the kernel");
  EXPECT_EQ(FateWords(R"("forward": "drop")"), "drop");
  EXPECT_EQ(FateWords(R"("forward": "reflect")"),
            "reflect out of the same port, MAC addresses swapped");
  EXPECT_EQ(
      FateWords(R"("loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"})"),
      "lose 1 % at random (1 in 100), one stream per port and queue; send the rest out of wan");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 0.3}, "forward": "drop")"),
            "lose 30 % at random (about 1 in 3), one stream per port and queue; drop the rest");
  EXPECT_EQ(
      FateWords(R"("loss": {"model": "random", "rate": 1e-9})"),
      "lose 1e-07 % at random (1 in 1e+09), one stream per port and queue; pass the rest to the "
      "kernel");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": "90%"})"),
            "lose 90 % at random, one stream per port and queue; pass the rest to the kernel");
  // The smallest and the largest rates that a 64-bit threshold can express.
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 1e-400}, "forward": "drop")"),
            "lose 5.42101e-18 % at random (1 in 1.84e+19), one stream per port and queue; drop the "
            "rest");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": "99.99999999%"}, "forward": "drop")"),
            "lose all but 1e-08 % at random (1 in 1e+10), one stream per port and queue; drop the "
            "rest");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 1}, "forward": "reflect")"),
            "lose everything");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 0})"), "pass to the kernel");
}

TEST(DescribeTest, EveryFieldOfAMatchIsSaidInWords) {
  EXPECT_EQ(MatchWords(R"("vlan": [100])"), "everything in VLAN 100 with none inside");
  EXPECT_EQ(MatchWords(R"("vlan": ["any"])"), "everything in any VLAN with none inside");
  EXPECT_EQ(MatchWords(R"("vlan": [100, "any"])"), "everything in VLAN 100 with any VLAN inside");
  EXPECT_EQ(MatchWords(R"("vlan": [])"), "everything without a VLAN tag");
  EXPECT_EQ(MatchWords(R"("src_mac": "02:00:00:00:00:00/8")"),
            "everything, source MAC 02:00:00:00:00:00/8");
  EXPECT_EQ(MatchWords(R"("dst_mac": "01:00:00:00:00:00/01:00:00:00:00:00")"),
            "everything, destination MAC 01:00:00:00:00:00/01:00:00:00:00:00");
  EXPECT_EQ(MatchWords(R"("tcp_flags": "syn,!ack", "dst_port": 80)"),
            "TCP, destination port 80, SYN set, ACK clear");
  EXPECT_EQ(MatchWords(R"("dscp": "ef")"), "IP, DSCP EF");
  EXPECT_EQ(MatchWords(R"("dscp": 45, "ecn": 3, "proto": "udp")"), "UDP, DSCP 45, ECN CE");
  EXPECT_EQ(MatchWords(R"("fragment": true)"), "IP, fragments only");
  EXPECT_EQ(MatchWords(R"("fragment": false)"), "everything, no fragments");
  EXPECT_EQ(MatchWords(R"("fragment": "first")"), "IP, first fragments only");
  EXPECT_EQ(MatchWords(R"("fragment": "later")"), "IP, fragments after the first only");
  EXPECT_EQ(MatchWords(R"("length": 60)"), "everything, 60 bytes long");
  EXPECT_EQ(MatchWords(R"("length": "64-127")"), "everything, 64 to 127 bytes long");
  EXPECT_EQ(MatchWords(R"("length": "1500-65535")"), "everything, 1500 bytes and longer");
  EXPECT_EQ(MatchWords(R"("malformed": true)"), "everything, malformed");
}

TEST(DescribeTest, EveryLossIsSaidInWords) {
  auto words = [](const std::string& loss) {
    return FateWords(absl::StrCat(R"("forward": "drop", "loss": {)", loss, "}"));
  };
  EXPECT_EQ(words(R"("model": "random", "rate": "1%", "scope": "flow")"),
            "lose 1 % at random (1 in 100), one stream per flow and direction; drop the rest");
  EXPECT_EQ(
      words(R"("model": "random", "rate": "1%", "scope": "flow", "flow": "bidirectional")"),
      "lose 1 % at random (1 in 100), one stream per flow, both directions in it; drop the rest");
  EXPECT_EQ(words(R"("model": "random", "rate": "1%", "scope": "packet")"),
            "lose 1 % at random (1 in 100), by the packet's own bytes; drop the rest");
  EXPECT_EQ(words(R"("model": "correlated", "rate": "10%", "correlation": "25%")"),
            "lose 10 % at random (1 in 10), correlated by 25 % from packet to packet, one stream "
            "per port and queue; drop the rest");
  EXPECT_EQ(words(R"("model": "gilbert_elliott", "p": "1%", "r": "25%")"),
            "lose 100 % in a bad state (Gilbert-Elliott), entered with 1 % and left with 25 % a "
            "packet, 0 % in the good one, one stream per port and queue; drop the rest");
  EXPECT_EQ(words(R"("model": "four_state", "p13": "1%", "p31": "25%", "p14": "0.5%")"),
            "lose in bursts and singly (four states: p13 1 %, p31 25 %, p32 0 %, p23 100 %, p14 "
            "0.5 %), one stream per port and queue; drop the rest");
  EXPECT_EQ(
      words(R"("model": "periodic", "every": 1000)"),
      "lose 1 packet of every 1,000, from packet 0 on, one stream per port and queue; drop the "
      "rest");
  EXPECT_EQ(words(R"("model": "periodic", "every": 100, "burst": 3, "offset": 5000)"),
            "lose 3 packets in a row of every 100, from packet 5,000 on, one stream per port and "
            "queue; drop the rest");
  EXPECT_EQ(words(R"("model": "sequence", "packets": [3, "1000-1999"], "repeat": 5000)"),
            "lose packets 3, 1,000 to 1,999, again in every 5,000, one stream per port and queue; "
            "drop the rest");
  EXPECT_EQ(words(R"("model": "sequence", "packets": [1, 3, 5, 7, 9])"),
            "lose packets 1, 3, 5, 7 and so on (5 ranges), one stream per port and queue; drop the "
            "rest");
  EXPECT_EQ(words(R"("model": "random", "rate": 1, "ecn_mark": true)"),
            "mark CE, or lose if not ECN-capable: everything; drop all packets that are not lost");
  EXPECT_EQ(words(R"("model": "correlated", "rate": 0, "correlation": 1)"), "drop");
}

TEST(DescribeTest, ARuleThatMarksIsNotSaidToLose) {
  const std::string mark = R"("loss": {"model": "random", "rate": "2%", "ecn_mark": true})";
  const std::string text = CheckText(CheckWords(
      absl::StrCat(R"("rules": [{"name": "any", "match": {"proto": "tcp"}, )", mark, "}, ",
                   R"({"name": "capable", "match": {"ecn": "ect0"}, )", mark, "}, ",
                   R"({"name": "incapable", "match": {"ecn": "not-ect"}, )", mark, "}]"),
      {"lan"}));
  for (const char* words :
       {"any: TCP: mark CE, or lose if not ECN-capable: 2 % at random (1 in 50), one stream per "
        "port "
        "and queue; pass all packets that are not lost to the kernel\n"
        "     2 % marked CE, or lost if not ECN-capable, in the long run, in bursts of 1.02 on "
        "average\n",
        "capable: IP, ECN ECT0: mark CE: 2 % at random (1 in 50), one stream per port and queue; "
        "pass "
        "all packets to the kernel\n     2 % marked CE in the long run, in bursts of 1.02 on "
        "average\n",
        "incapable: IP, ECN NOT-ECT: lose 2 % at random (1 in 50), one stream per port and queue; "
        "pass "
        "the rest to the kernel\n     2 % lost in the long run, in bursts of 1.02 on average\n"})
    EXPECT_NE(text.find(words), std::string::npos) << text;
}

TEST(DescribeTest, ConditionsAndStatisticsAreSaid) {
  CheckReport report = CheckWords(R"("rules": [
      {"name": "a", "active": {"from": "30s", "for": "10s", "every": "1m"}, "forward": "drop"},
      {"name": "b", "active": {"from": "1500ms"}, "packets": 1000},
      {"name": "c", "active": {"from": "2m", "for": "250us"}},
      {"name": "d", "flows": "5%", "packets": 1, "loss": {"model": "random", "rate": 1}},
      {"name": "e", "match": {"dst_port": 80},
       "loss": {"model": "sequence", "packets": [1, 3]}},
      {"name": "f", "match": {"dst_port": 81}, "loss": {"model": "random", "rate": 0}},
      {"name": "g", "active": {"for": "10s", "every": "1m"}},
      {"name": "h", "active": {"for": "10s"}}])",
                                  {"lan"});
  std::vector<std::string> when;
  for (const CheckReport::Rule& rule : report.rules) when.push_back(rule.when);
  EXPECT_EQ(when, (std::vector<std::string>{
                      "for 10 s of every 1 min, from 30 s on",
                      "from 1,500 ms on, for the first 1,000 packets of each port and queue",
                      "for 250 us, from 2 min (in steps of the clock's 1 to 10 ms)",
                      "for the first 1 packet of each port and queue, "
                      "for 5 % of the flows",
                      "", "", "for 10 s of every 1 min, from 0 s on", "for 10 s, from 0 s", ""}));
  const std::string text = CheckText(report);
  EXPECT_NE(text.find("  1. a: everything, for 10 s of every 1 min, from 30 s on: drop\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lose everything\n     100 % lost in the long run, without end\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("\n     50 % lost of a stream's first 4 packets, in bursts of 1 on average\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("pass to the kernel\n     nothing lost in the long run\n"), std::string::npos)
      << text;
  nlohmann::ordered_json json = CheckJson(report);
  EXPECT_EQ(json["rules"][0]["when"], "for 10 s of every 1 min, from 30 s on");
  EXPECT_EQ(json["rules"][3]["loss_rate"], 1);
  EXPECT_TRUE(json["rules"][3]["mean_burst"].is_null());
  EXPECT_EQ(json["rules"][4]["model"], "sequence");
  EXPECT_EQ(json["rules"][4]["scope"], "queue");
  EXPECT_EQ(json["rules"][4]["loss_rate"], 0.5);
  EXPECT_EQ(json["rules"][4]["mean_burst"], 1);
}

}  // namespace
}  // namespace twinpath
