// SPDX-License-Identifier: BSD-3-Clause
// `twinpath check`: the whole report, the cost of a policy, and the warnings.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/describe/check_report.h"
#include "tests/unit/config/check_words.h"

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

TEST(CheckTest, TheWholeReportReadsAsText) {
  CheckReport report = Check(R"("seed": 7, "rules": [
      {"name": "voip", "match": {"port": "lan", "proto": "udp", "dst_port": "5000-5999"},
       "loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"}},
      {"name": "back", "match": {"port": "wan"}, "forward": {"port": "lan"}}])",
                             {"lan", "wan"});
  report.sha256 = "5ac1a1";
  EXPECT_EQ(
      CheckText(report),
      "p: seed 7, SHA-256 5ac1a1\n"
      "\n"
      "The first rule that matches decides:\n"
      "  1. voip: UDP on port lan, destination ports 5000 to 5999: lose 1 % at random (1 in "
      "100), one stream per port and queue; send the rest out of wan\n"
      "     1 % lost in the long run, in bursts of 1.01 on average\n"
      "  2. back: everything on port wan: send out of lan\n"
      "  default: everything else: pass to the kernel\n"
      "\n"
      "Cost: 6 shapes of match, 9 keys; 2.0 KiB of tables shared by all queues, 192 B of "
      "streams for each queue\n"
      "  port lan: frames are parsed, malformed ones as far as they can be read; at most 6 "
      "lookups a packet, then \"default\"\n"
      "  port wan: headers are not parsed: \"back\" matches every frame, also malformed ones\n");
}

TEST(CheckTest, JsonSaysTheSame) {
  nlohmann::ordered_json json =
      CheckJson(Check(R"("seed": 7, "rules": [{"match": {"proto": 1}}])", {"lan"}));
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["malformed"], "match");
  EXPECT_EQ(json["rules"].size(), 2u);
  EXPECT_EQ(json["rules"][0]["match"], "ICMP");
  EXPECT_EQ(json["rules"][1]["reachable"], true);
  EXPECT_EQ(json["rules"][0]["when"], "always");
  EXPECT_EQ(json["rules"][0]["model"], "none");
  EXPECT_EQ(json["rules"][0]["loss_rate"], 0);
  EXPECT_EQ(json["rules"][0]["mean_burst"], 0);
  EXPECT_EQ(json["cost"]["shapes"], 1);
  EXPECT_EQ(json["cost"]["keys"], 1);
  EXPECT_EQ(json["cost"]["table_bytes"],
            (2 + TP_MAX_PROBES - 1) * sizeof(tp_bucket) + sizeof(tp_key) + sizeof(tp_shape) +
                2 * sizeof(tp_rule) + sizeof(tp_model) + sizeof(tp_when) + sizeof(tp_plan));
  EXPECT_EQ(json["cost"]["queue_bytes"], 2 * sizeof(tp_state));
  EXPECT_EQ(json["ports"][0]["parses"], true);
  EXPECT_EQ(json["ports"][0]["fallback"], "default");
  EXPECT_EQ(json["warnings"].size(), 0u);
}

TEST(CheckTest, APolicyThatDropsMalformedFramesReadsThemOnEveryPort) {
  const CheckReport report = Check(R"("malformed": "drop", "rules": [
      {"name": "a", "match": {"port": "lan", "proto": "udp"}}, {"name": "b", "match": {"port": "lan"}}])",
                                   {"lan", "wan"});
  const std::string text = CheckText(report);
  EXPECT_NE(text.find("  port lan: frames are parsed, malformed ones dropped and counted; at most "
                      "1 lookup a packet, then \"b\"\n"
                      "  port wan: frames are parsed, malformed ones dropped and counted; at most "
                      "0 lookups a packet, then \"default\"\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(CheckJson(report)["malformed"], "drop");
}

TEST(CheckTest, ARuleForMalformedFramesIsReachedUnlessThePolicyDropsThem) {
  const std::string rules = R"("rules": [{"name": "a", "match": {"malformed": true}},
      {"name": "b", "match": {"malformed": true, "proto": "udp"}},
      {"name": "c", "match": {"malformed": false, "port": "lan"}},
      {"name": "d", "match": {"proto": "udp"}}])";
  EXPECT_EQ(Check(rules, {"lan"}).warnings,
            (std::vector<std::string>{
                "/rules/1 (b) can never match: /rules/0 (a) takes everything, malformed"}));
  const std::string why = " can never match: the policy drops malformed frames before any rule";
  EXPECT_EQ(Check(R"("malformed": "drop", )" + rules, {"lan"}).warnings,
            (std::vector<std::string>{
                "/rules/0 (a)" + why, "/rules/1 (b)" + why,
                "/rules/3 (d) can never match: /rules/2 (c) takes everything on port lan, not "
                "malformed"}));
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
                "/rules/4 (e) can never match: earlier rules match all its packets: /rules/2 (c), "
                "/rules/3 (d)"});
}

// The warning about the second of two rules; "" where there is none.
std::string Covered(const std::string& first, const std::string& second) {
  CheckReport report = Check(absl::StrCat(R"("rules": [{"name": "a", "match": {)", first,
                                          R"(}}, {"name": "b", "match": {)", second, "}}]"),
                             {"lan", "wan"});
  EXPECT_EQ(report.rules[1].reachable, report.warnings.empty());
  return report.warnings.empty() ? "" : report.warnings[0];
}

TEST(CheckTest, ARuleThatAWiderOneCoversIsTold) {
  const std::string covered = "/rules/1 (b) can never match: /rules/0 (a) takes ";
  EXPECT_EQ(Covered(R"("proto": "udp")", R"("proto": "udp", "dst_port": 53)"), covered + "UDP");
  EXPECT_EQ(Covered(R"("src": "10.0.0.0/8")", R"("src": "10.1.0.0/16")"),
            covered + "IP from 10.0.0.0/8 to anywhere");
  EXPECT_EQ(Covered(R"("dst": "2001:db8::/32")", R"("dst": "2001:db8::1", "proto": 6)"),
            covered + "IP from anywhere to 2001:db8::/32");
  EXPECT_EQ(Covered(R"("dst_port": "0-99")", R"("dst_port": "10-19")"),
            covered + "TCP or UDP, destination ports 0 to 99");
  EXPECT_EQ(Covered(R"("dst_port": "0-99")", R"("dst_port": "10-19", "proto": "udp")"),
            covered + "TCP or UDP, destination ports 0 to 99");
  EXPECT_EQ(Covered(R"("length": "64-1500")", R"("length": "100-200", "proto": "udp")"),
            covered + "everything, 64 to 1500 bytes long");
  EXPECT_EQ(Covered(R"("tcp_flags": "syn")", R"("tcp_flags": "syn,!ack", "port": "lan")"),
            covered + "TCP, SYN set");
  EXPECT_EQ(Covered(R"("ip_version": 4)", R"("src": "10.0.0.0/8")"), covered + "IPv4");
  EXPECT_EQ(Covered(R"("ether_type": "ipv4")", R"("dst": "10.0.0.1")"), covered + "IPv4");
  EXPECT_EQ(Covered(R"("src_mac": "02:00:00:00:00:00/8")", R"("src_mac": "02:00:00:00:00:01")"),
            covered + "everything, source MAC 02:00:00:00:00:00/8");
  EXPECT_EQ(Covered(R"("vlan": 100)", R"("vlan": [100, 200])"), covered + "everything in VLAN 100");
  EXPECT_EQ(Covered(R"("fragment": true)", R"("fragment": "later")"),
            covered + "IP, fragments only");
}

TEST(CheckTest, ARuleOfWhichSomePacketsAreLeftIsNot) {
  EXPECT_EQ(Covered(R"("proto": "udp", "dst_port": 53)", R"("proto": "udp")"), "");
  EXPECT_EQ(Covered(R"("src": "10.1.0.0/16")", R"("src": "10.0.0.0/8")"), "");
  EXPECT_EQ(Covered(R"("dst_port": "10-19")", R"("dst_port": "19-20")"), "");
  EXPECT_EQ(Covered(R"("src_port": 53)", R"("dst_port": 53)"), "");
  EXPECT_EQ(Covered(R"("proto": "udp", "port": "lan")", R"("proto": "udp", "dst_port": 53)"), "");
  EXPECT_EQ(Covered(R"("proto": "udp")", R"("dst_port": 53)"), "");
  EXPECT_EQ(Covered(R"("src": "0.0.0.0/0")", R"("proto": "udp")"), "");
  EXPECT_EQ(Covered(R"("fragment": false)", R"("proto": "udp")"), "");
  EXPECT_EQ(Covered(R"("proto": 0)", R"("src": "2001:db8::/32")"), "");
}

TEST(CheckTest, RulesMayCoverAnotherTogether) {
  CheckReport report = Check(R"("rules": [
      {"name": "a", "match": {"proto": "udp"}}, {"name": "b", "match": {"proto": "tcp"}},
      {"name": "c", "match": {"dst_port": "80-99"}},
      {"name": "d", "match": {"port": "wan", "dst": "10.0.0.0/8"}},
      {"name": "e", "match": {"port": "lan", "dst": "10.0.0.0/8"}},
      {"name": "f", "match": {"dst": "10.0.0.0/9"}}])",
                             {"lan", "wan"});
  EXPECT_EQ(report.warnings,
            (std::vector<std::string>{"/rules/2 (c) can never match: earlier rules match all its "
                                      "packets: /rules/0 (a), /rules/1 (b)",
                                      "/rules/5 (f) can never match: earlier rules match all its "
                                      "packets: /rules/3 (d), /rules/4 (e)"}));
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

TEST(CheckTest, ARuleWithAConditionShadowsNone) {
  CheckReport report = CheckWords(R"("rules": [
      {"name": "a", "match": {"dst_port": 80}, "flows": "5%"},
      {"name": "b", "match": {"dst_port": 80}, "packets": 10},
      {"name": "c", "active": {"for": "10s"}},
      {"name": "d", "match": {"dst_port": 80}, "flows": "100%"},
      {"name": "e", "match": {"dst_port": 80}, "flows": "5%"},
      {"name": "f", "flows": 0},
      {"name": "g", "active": {"from": "0s"}},
      {"name": "h", "match": {"dst_port": 81}}])",
                                  {"lan"});
  EXPECT_EQ(report.warnings, (std::vector<std::string>{
                                 "/rules/4 (e) can never match: /rules/3 (d) has the same match",
                                 "/rules/5 (f) can never match: it holds for no flow",
                                 "/rules/7 (h) can never match: /rules/6 (g) takes everything"}));
}

}  // namespace
}  // namespace twinpath
