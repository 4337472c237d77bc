// SPDX-License-Identifier: BSD-3-Clause
// `twinpath check`: a policy in words, what it costs, and what it warns of.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/check_report.h"
#include "src/config/describe.h"

namespace twinpath {
namespace {

CheckReport Check(const std::string& members, const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat(R"({"version": 1, )", members, "}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  if (!policy.ok()) return {};
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return compiled.ok() ? MakeCheckReport(*policy, *compiled) : CheckReport();
}

std::string MatchWords(const std::string& match) {
  return Check(absl::StrCat(R"("rules": [{"match": {)", match, "}}]"), {"lan"}).rules[0].match;
}

std::string FateWords(const std::string& members) {
  return Check(absl::StrCat(R"("default": {)", members, "}"), {"wan"}).rules[0].fate;
}

TEST(CheckTest, AMatchIsSaidInWords) {
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

TEST(CheckTest, AFateIsSaidInWords) {
  EXPECT_EQ(FateWords(""), "pass to the kernel");
  EXPECT_EQ(FateWords(R"("forward": "drop")"), "drop");
  EXPECT_EQ(FateWords(R"("forward": "reflect")"),
            "reflect out of the same port, MAC addresses swapped");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"})"),
            "lose 1 % at random (1 in 100), one stream a port and queue; send the rest out of wan");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 0.3}, "forward": "drop")"),
            "lose 30 % at random (about 1 in 3), one stream a port and queue; drop the rest");
  EXPECT_EQ(
      FateWords(R"("loss": {"model": "random", "rate": 1e-9})"),
      "lose 1e-07 % at random (1 in 1e+09), one stream a port and queue; pass the rest to the "
      "kernel");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": "90%"})"),
            "lose 90 % at random, one stream a port and queue; pass the rest to the kernel");
  // The ends of what a 64-bit threshold tells apart.
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 1e-400}, "forward": "drop")"),
            "lose 5.42101e-18 % at random (1 in 1.84e+19), one stream a port and queue; drop the "
            "rest");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": "99.99999999%"}, "forward": "drop")"),
            "lose all but 1e-08 % at random (1 in 1e+10), one stream a port and queue; drop the "
            "rest");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 1}, "forward": "reflect")"),
            "lose everything");
  EXPECT_EQ(FateWords(R"("loss": {"model": "random", "rate": 0})"), "pass to the kernel");
}

TEST(CheckTest, TheWholeReportReadsAsText) {
  CheckReport report = Check(R"("seed": 7, "rules": [
      {"name": "voip", "match": {"port": "lan", "proto": "udp", "dst_port": "5000-5999"},
       "loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"}},
      {"name": "back", "match": {"port": "wan"}, "forward": {"port": "lan"}}])",
                             {"lan", "wan"});
  report.sha256 = "5ac1a1";
  EXPECT_EQ(CheckText(report),
            "p: seed 7, SHA-256 5ac1a1\n"
            "\n"
            "The first rule that matches decides:\n"
            "  1. voip: UDP on port lan, destination ports 5000 to 5999: lose 1 % at random (1 in "
            "100), one stream a port and queue; send the rest out of wan\n"
            "  2. back: everything on port wan: send out of lan\n"
            "  default: everything else: pass to the kernel\n"
            "\n"
            "Cost: 6 shapes of match, 9 keys; 1.7 KiB of tables shared by all queues, 192 B of "
            "streams a queue\n"
            "  port lan: frames are parsed, malformed ones dropped and counted; at most 6 lookups "
            "a packet, then \"default\"\n"
            "  port wan: frames are not looked into: \"back\" takes all, malformed ones too\n");
}

TEST(CheckTest, JsonSaysTheSame) {
  nlohmann::ordered_json json =
      CheckJson(Check(R"("seed": 7, "rules": [{"match": {"proto": 1}}])", {"lan"}));
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["rules"].size(), 2u);
  EXPECT_EQ(json["rules"][0]["match"], "ICMP");
  EXPECT_EQ(json["rules"][1]["reachable"], true);
  EXPECT_EQ(json["cost"]["shapes"], 1);
  EXPECT_EQ(json["cost"]["keys"], 1);
  EXPECT_EQ(json["cost"]["table_bytes"], 64 + 64 + 80 + 2 * 32 + 24);
  EXPECT_EQ(json["cost"]["queue_bytes"], 2 * 64);
  EXPECT_EQ(json["ports"][0]["parses"], true);
  EXPECT_EQ(json["ports"][0]["fallback"], "default");
  EXPECT_EQ(json["warnings"].size(), 0u);
}

TEST(CheckTest, ARuleThatCanNeverMatchIsToldWithItsReason) {
  CheckReport report = Check(R"("rules": [
      {"name": "a", "match": {"dst_port": 80}}, {"name": "b", "match": {"dst_port": 80}},
      {"name": "c", "match": {"dst_port": "80-81"}}, {"name": "d", "match": {"port": "lan"}},
      {"name": "e", "match": {"port": "lan", "proto": 6}}, {"name": "f", "match": {"proto": 6}},
      {"name": "g"}, {"name": "h", "match": {"proto": 17}}])",
                             {"lan", "wan"});
  EXPECT_EQ(report.warnings,
            (std::vector<std::string>{
                "/rules/1 (b) can never match: /rules/0 (a) has the same match",
                "/rules/4 (e) can never match: /rules/3 (d) takes everything on port lan",
                "/rules/7 (h) can never match: /rules/6 (g) takes everything",
            }));
  EXPECT_FALSE(report.rules[1].reachable);
  EXPECT_TRUE(report.rules[2].reachable);
  EXPECT_FALSE(report.rules.back().reachable);
}

TEST(CheckTest, ARuleThatEarlierOnesTakeTogetherIsTold) {
  CheckReport report = Check(R"("rules": [
      {"name": "a", "match": {"dst_port": 80}}, {"name": "b", "match": {"dst_port": 81}},
      {"name": "c", "match": {"port": "lan"}}, {"name": "d", "match": {"port": "wan"}},
      {"name": "e", "match": {"proto": 6}}])",
                             {"lan", "wan"});
  EXPECT_EQ(report.warnings,
            std::vector<std::string>{
                "/rules/4 (e) can never match: earlier rules take all that it matches"});
}

TEST(CheckTest, AnUnnamedRuleThatLosesIsTold) {
  CheckReport report = Check(R"("rules": [
      {"match": {"proto": 1}},
      {"match": {"proto": 6}, "loss": {"model": "random", "rate": 0.5}}])",
                             {"lan"});
  EXPECT_EQ(report.warnings,
            std::vector<std::string>{"/rules/1 has no name: its losses are those of \"rule-1\" and "
                                     "change when a rule is put before it"});
}

TEST(CheckTest, ManyWarningsAreCounted) {
  std::string rules;
  for (int i = 0; i < 1000; i++) absl::StrAppend(&rules, i ? "," : "", "{\"name\": \"r", i, "\"}");
  CheckReport report = Check(absl::StrCat("\"rules\": [", rules, "]"), {"lan"});
  ASSERT_EQ(report.warnings.size(), 21u);
  EXPECT_EQ(report.warnings.back(), "and 979 more of these");
}

}  // namespace
}  // namespace twinpath
