// SPDX-License-Identifier: BSD-3-Clause
// Policy JSON: the meaning of each key, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/describe/describe.h"
#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

Policy Parse(const std::string& text) {
  absl::StatusOr<Policy> policy = ParsePolicy(text, "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : Policy();
}

std::string ErrorOf(const std::string& text) {
  absl::Status status = ParsePolicy(text, "p").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

// The error of a rule, of the rule's match, and of its loss, without their common prefix.
std::string RuleError(const std::string& rule) {
  std::string error = ErrorOf(absl::StrCat(R"({"version": 1, "rules": [{}, )", rule, "]}"));
  EXPECT_EQ(error.substr(0, 11), "p: /rules/1") << error;
  return error.substr(std::min<size_t>(error.size(), 11));
}

std::string MatchError(const std::string& match) {
  std::string error = RuleError(absl::StrCat("{\"match\": {", match, "}}"));
  EXPECT_EQ(error.substr(0, 6), "/match") << error;
  return error.substr(std::min<size_t>(error.size(), 6));
}

std::string LossError(const std::string& loss) {
  std::string error = RuleError(absl::StrCat("{\"loss\": {", loss, "}}"));
  EXPECT_EQ(error.substr(0, 5), "/loss") << error;
  return error.substr(std::min<size_t>(error.size(), 5));
}

constexpr char kRate[] = "allowed a fraction from 0 to 1 or a percentage from \"0%\" to \"100%\"";
constexpr char kPortName[] =
    "allowed a port's name: 1 to 32 letters, digits, '_', '.' or '-', starting with a letter or "
    "digit";

TEST(PolicyTest, TheLeastPolicyPassesEverythingUntouched) {
  Policy p = Parse(R"({"version": 1})");
  EXPECT_EQ(p.file, "p");
  EXPECT_EQ(p.seed, 0u);
  EXPECT_TRUE(p.rules.empty());
  EXPECT_TRUE(p.ports.empty());
  EXPECT_EQ(p.fallback.name, "default");
  EXPECT_EQ(p.fallback.loss.model, LossSpec::Model::kNone);
  EXPECT_EQ(p.fallback.forward.action, TP_ACTION_PASS);
  // sha256sum of these 14 bytes.
  EXPECT_EQ(p.sha256, "c3aa9744214caf6eb993d6f88f3f1dda3e4e60d59f712b6463c4ce2c4b00dfa1");
}

TEST(PolicyTest, EveryKeyIsRead) {
  Policy p = Parse(R"({
    "about": "all of it", "version": 1, "seed": 18446744073709551615,
    "malformed": "drop", "rules": [
      {"name": "voip", "about": "calls", "match": {"port": "lan"},
       "loss": {"model": "random", "rate": "1.50%", "scope": "queue"},
       "forward": {"port": "wan"}},
      {"loss": {"model": "random", "rate": 1e-4}, "forward": "drop"},
      {"forward": "reflect"}, {"forward": "pass", "match": {}},
      {"forward": "reflect-flow"}, {"forward": "reflect-echo"}],
    "default": {"about": "rest", "loss": {"model": "random", "rate": 1},
                "forward": {"port": "dmz"}}})");
  EXPECT_EQ(p.seed, UINT64_MAX);
  EXPECT_TRUE(p.drops_malformed);
  EXPECT_EQ(p.ports, (std::vector<std::string>{"lan", "wan", "dmz"}));
  ASSERT_EQ(p.rules.size(), 6u);
  EXPECT_EQ(p.rules[0].name, "voip");
  EXPECT_EQ(p.rules[0].loss.model, LossSpec::Model::kRandom);
  EXPECT_EQ(p.rules[0].loss.parameters[0].text, "1.50%");
  EXPECT_EQ(p.rules[0].loss.parameters[0].threshold,
            276701161105643274u);  // 0.015 * 2^64 = ...274.24
  EXPECT_EQ(p.rules[0].forward.port, "wan");
  EXPECT_EQ(p.rules[1].name, "rule-1");
  EXPECT_EQ(p.rules[1].loss.parameters[0].text, "1e-4");  // a number keeps its digits
  EXPECT_EQ(p.rules[1].loss.parameters[0].threshold, 1844674407370955u);
  EXPECT_EQ(p.rules[1].forward.action, TP_ACTION_DROP);
  EXPECT_EQ(p.rules[2].forward.action, TP_ACTION_REFLECT);
  EXPECT_EQ(p.rules[3].forward.action, TP_ACTION_PASS);
  EXPECT_EQ(p.rules[4].forward.action, TP_ACTION_REFLECT_FLOW);
  EXPECT_EQ(p.rules[5].forward.action, TP_ACTION_REFLECT_ECHO);
  EXPECT_EQ(DescribeFate(p.rules[4]),
            "reflect out of the same port, MAC addresses, IP addresses and ports swapped");
  EXPECT_EQ(DescribeFate(p.rules[5]),
            "answer out of the same port (ARP, neighbor and echo requests), drop what is none");
  EXPECT_TRUE(p.fallback.loss.parameters[0].always);
  EXPECT_EQ(p.fallback.forward.port, "dmz");
}

TEST(PolicyTest, SyntaxErrorsNameLineAndColumn) {
  EXPECT_EQ(ErrorOf("{\"version\": 1,\n \"seed\": }"),
            "p: line 2, column 10: syntax error while parsing value - unexpected '}'; expected "
            "'[', '{', or a literal");
  EXPECT_EQ(ErrorOf("{\"version\": 1,\n"),
            "p: line 2, column 1: syntax error while parsing object key - unexpected end of input; "
            "expected string literal");
  EXPECT_EQ(ErrorOf("{\"version\": 1} {}"),
            "p: line 1, column 16: syntax error while parsing value - unexpected '{'; expected "
            "end of input");
  EXPECT_EQ(ErrorOf(R"({"version": NaN})").substr(0, 73),
            "p: line 1, column 13: syntax error while parsing value - invalid literal;");
  EXPECT_EQ(ErrorOf(R"({"version": 1e999})"),
            "p: /version: found 1e999, allowed a number that a double holds, at most 1.8e308");
}

TEST(PolicyTest, ANameThatIsAnothersDefaultIsRefused) {
  EXPECT_EQ(ErrorOf(R"({"version": 1, "rules": [{"name": "rule-1"}, {}]})"),
            "p: /rules/1: found the default name \"rule-1\", the name of /rules/0 too, allowed a "
            "name of its own for each rule");
}

TEST(PolicyTest, WhatIsNoTextIsRefused) {
  EXPECT_EQ(ErrorOf(""), "p: found an empty file, allowed a JSON object");
  EXPECT_EQ(ErrorOf(" \n\t"), "p: found an empty file, allowed a JSON object");
  EXPECT_EQ(ErrorOf("\xef\xbb\xbf{}"),
            "p: line 1, column 1: found a byte order mark, allowed UTF-8 without one");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(
        ErrorOf(absl::StrCat("{\n\"about\": \"", bad, "\"}")),
        absl::StrCat("p: line 2, column 11: found byte 0x", absl::Hex(static_cast<uint8_t>(bad[0])),
                     ", allowed UTF-8 text without NUL"));
  }
  EXPECT_EQ(ErrorOf(std::string("{\"version\": 1}\0 more", 20)),
            "p: line 1, column 15: found byte 0x00, allowed UTF-8 text without NUL");
  EXPECT_TRUE(
      ParsePolicy("{\"version\": 1, \"about\": \"10\u00a0% \u20ac \U0001f600\"}", "p").ok());
}

TEST(PolicyTest, NestingDeeperThan32IsRefusedHoweverDeep) {
  std::string zeros;
  for (int i = 0; i < 31; i++) zeros += "/0";
  EXPECT_EQ(
      ErrorOf(absl::StrCat(R"({"version": )", std::string(100000, '['))),
      absl::StrCat("p: /version", zeros, ": found nesting deeper than 32, allowed 32 levels"));
  EXPECT_EQ(
      ErrorOf(absl::StrCat(R"({"version": )", std::string(31, '['), std::string(31, ']'), "}")),
      "p: /version: found an array of 1, allowed 1");
}

TEST(PolicyTest, DuplicateAndUnknownKeysAreRefused) {
  EXPECT_EQ(ErrorOf(R"({"version": 1, "seed": 1, "seed": 1})"),
            "p: /seed: found the key twice, allowed once");
  EXPECT_EQ(MatchError(R"("dst": "10.0.0.0/8", "proto": 6, "dst": "10.0.0.0/8")"),
            "/dst: found the key twice, allowed once");
  EXPECT_EQ(
      ErrorOf(R"({"version": 1, "Seed": 1})"),
      "p: /Seed: found an unknown key, allowed version, about, seed, malformed, rules, default");
  EXPECT_EQ(RuleError(R"({"a/b~c": 1})"),
            "/a~1b~0c: found an unknown key, allowed name, about, match, active, packets, "
            "flows, loss, forward");
  EXPECT_EQ(RuleError("{\"\\u001b[2J\": 1}"),
            "/\\u001b[2J: found an unknown key, allowed name, about, match, active, packets, "
            "flows, loss, forward");
  EXPECT_EQ(MatchError(R"("sport": 1)"),
            "/sport: found an unknown key, allowed port, ether_type, vlan, src_mac, dst_mac, "
            "ip_version, src, dst, proto, src_port, dst_port, tcp_flags, dscp, ecn, fragment, "
            "length, malformed");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "default": {"match": {}}})"),
            "p: /default/match: found an unknown key, allowed about, loss, forward");
}

TEST(PolicyTest, TheVersionComesFirst) {
  EXPECT_EQ(ErrorOf("{}"), "p: /version: found nothing, allowed 1");
  EXPECT_EQ(ErrorOf(R"({"version": 2, "new": 1})"), "p: /version: found 2, allowed 1");
  EXPECT_EQ(ErrorOf(R"({"version": "1"})"), "p: /version: found \"1\", allowed 1");
  EXPECT_EQ(ErrorOf(R"({"version": 1.0})"), "p: /version: found 1.0, allowed 1");
  EXPECT_EQ(ErrorOf("[]"), "p: found an array of 0, allowed an object with the key version");
  EXPECT_EQ(ErrorOf("7"), "p: found 7, allowed an object with the key version");
}

TEST(PolicyTest, TheSeedIsAnUnsigned64BitInteger) {
  for (const char* seed : {"-1", "18446744073709551616", "1.5", "1e3", "\"7\"", "null", "true"}) {
    EXPECT_EQ(ErrorOf(absl::StrCat(R"({"version": 1, "seed": )", seed, "}")),
              absl::StrCat("p: /seed: found ", seed,
                           ", allowed an integer from 0 to 18446744073709551615"));
  }
}

TEST(PolicyTest, MalformedFramesAreMatchedOrDropped) {
  EXPECT_FALSE(Parse(R"({"version": 1})").drops_malformed);
  EXPECT_FALSE(Parse(R"({"version": 1, "malformed": "match"})").drops_malformed);
  EXPECT_TRUE(Parse(R"({"version": 1, "malformed": "drop"})").drops_malformed);
  EXPECT_EQ(ErrorOf(R"({"version": 1, "malformed": "drops"})"),
            "p: /malformed: found \"drops\", allowed \"match\" or \"drop\"");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "malformed": true})"),
            "p: /malformed: found true, allowed \"match\" or \"drop\"");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "default": {"malformed": "drop"}})"),
            "p: /default/malformed: found an unknown key, allowed about, loss, forward");
}

TEST(PolicyTest, WrongTypesAreRefused) {
  EXPECT_EQ(ErrorOf(R"({"version": 1, "about": 1})"), "p: /about: found 1, allowed a string");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "rules": {}})"),
            "p: /rules: found an object, allowed an array of rules");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "rules": [null]})"),
            "p: /rules/0: found null, allowed an object with the keys name, about, match, "
            "active, packets, flows, loss, forward");
  EXPECT_EQ(ErrorOf(R"({"version": 1, "default": []})"),
            "p: /default: found an array of 0, allowed an object with the keys about, loss, "
            "forward");
  EXPECT_EQ(RuleError(R"({"about": []})"), "/about: found an array of 0, allowed a string");
  EXPECT_EQ(RuleError(R"({"loss": "1%"})"),
            "/loss: found \"1%\", allowed an object with the key model, and the model's");
  EXPECT_EQ(RuleError(R"({"match": "udp"})").substr(0, 40),
            "/match: found \"udp\", allowed an object w");
}

TEST(PolicyTest, RuleNamesAreUniqueAndPrintable) {
  EXPECT_EQ(
      ErrorOf(R"({"version": 1, "rules": [{"name": "a"}, {}, {"name": "a"}]})"),
      "p: /rules/2/name: found \"a\", the name of /rules/0 too, allowed a name of its own for "
      "each rule");
  EXPECT_EQ(RuleError(R"({"name": "default"})"),
            "/name: found \"default\", allowed another name: \"default\" is the last rule's");
  for (const char* name : {"\"\"", "\"a\\nb\"", "\"\u00fc\"", "1"}) {
    EXPECT_NE(RuleError(absl::StrCat("{\"name\": ", name, "}"))
                  .find("allowed 1 to 64 printable ASCII characters"),
              std::string::npos);
  }
  EXPECT_TRUE(ParsePolicy(absl::StrCat(R"({"version": 1, "rules": [{"name": ")",
                                       std::string(64, 'x'), "\"}]}"),
                          "p")
                  .ok());
  EXPECT_EQ(RuleError(absl::StrCat("{\"name\": \"", std::string(100, 'x'), "\"}")),
            absl::StrCat("/name: found \"", std::string(80, 'x'),
                         "\"..., allowed 1 to 64 printable ASCII characters"));
}

TEST(PolicyTest, RatesOutsideZeroToOneAreRefused) {
  for (const char* rate :
       {"-0.1", "1.1", "2", "-1", "50", "true", "null", "\"101%\"", "\"1%%\"", "\"\"", "\"abc\"",
        "\"nan\"", "\"inf\"", "\"-1%\"", "1.00000000000000000000001"}) {
    EXPECT_EQ(LossError(absl::StrCat(R"("model": "random", "rate": )", rate)),
              absl::StrCat("/rate: found ", rate, ", ", kRate));
  }
  EXPECT_EQ(LossError(R"("model": "random")"), absl::StrCat("/rate: found nothing, ", kRate));
}

TEST(PolicyTest, ForwardsThatAreNotThereAreRefused) {
  for (const char* forward : {"\"bridge\"", "\"route\"", "\"Drop\"", "null", "1"}) {
    EXPECT_EQ(RuleError(absl::StrCat("{\"forward\": ", forward, "}")),
              absl::StrCat("/forward: found ", forward,
                           ", allowed \"pass\", \"drop\", \"reflect\", \"reflect-flow\", "
                           "\"reflect-echo\" or {\"port\": NAME}"));
  }
  EXPECT_EQ(RuleError(R"({"forward": {}})"),
            absl::StrCat("/forward/port: found nothing, ", kPortName));
  EXPECT_EQ(RuleError(R"({"forward": {"port": "a", "queue": 1}})"),
            "/forward/queue: found an unknown key, allowed port");
}

TEST(PolicyTest, PortNamesKeepTheirRules) {
  for (const char* name : {"\"\"", "\"-a\"", "\".a\"", "\"a b\"", "\"a/b\"", "\"a\\u0000\"", "1",
                           "\"abcdefghijklmnopqrstuvwxyz0123456\""}) {
    EXPECT_NE(MatchError(absl::StrCat("\"port\": ", name)).find(kPortName), std::string::npos);
    EXPECT_NE(RuleError(absl::StrCat(R"({"forward": {"port": )", name, "}}")).find(kPortName),
              std::string::npos);
  }
  EXPECT_EQ(Parse(R"({"version": 1, "default": {"forward": {"port": "0a_b.c-D"}}})").ports[0],
            "0a_b.c-D");
}

}  // namespace
}  // namespace twinpath
