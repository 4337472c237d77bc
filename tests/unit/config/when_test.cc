// SPDX-License-Identifier: BSD-3-Clause
// When a rule holds: the meaning of each key, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/policy/when.h"

namespace twinpath {
namespace {

absl::StatusOr<Policy> ParseOne(const std::string& members) {
  return ParsePolicy(absl::StrCat(R"({"version": 1, "rules": [{)", members, "}]}"), "p");
}

RuleSpec Rule(const std::string& members) {
  absl::StatusOr<Policy> policy = ParseOne(members);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? policy->rules[0] : RuleSpec();
}

TimeWindow Active(const std::string& members) {
  const RuleSpec rule = Rule(absl::StrCat("\"active\": {", members, "}"));
  return rule.active.value_or(TimeWindow());
}

std::string ErrorOf(const std::string& members) {
  absl::Status status = ParseOne(members).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << members;
  const std::string error(status.message()), start = "p: /rules/0";
  EXPECT_EQ(error.substr(0, start.size()), start);
  return error.size() < start.size() ? error : error.substr(start.size());
}

std::string ActiveError(const std::string& members) {
  return ErrorOf(absl::StrCat("\"active\": {", members, "}"));
}

constexpr uint64_t kSecond = 1'000'000'000;

TEST(WhenTest, ATimeIsFromForAndEvery) {
  EXPECT_EQ(Active(R"("from": "10s", "for": "2s", "every": "30s")"),
            (TimeWindow{10 * kSecond, 2 * kSecond, 30 * kSecond}));
  EXPECT_EQ(Active(R"("for": "1us")"), (TimeWindow{0, 1'000, 0}));
  EXPECT_EQ(Active(R"("from": "250ms")"), (TimeWindow{250'000'000, 0, 0}));
  EXPECT_EQ(Active(R"("from": "0s", "for": "2m", "every": "1h")"),
            (TimeWindow{0, 120 * kSecond, 3600 * kSecond}));
  EXPECT_EQ(Active(R"("from": "87600h")").from_ns, 87'600 * 3600 * kSecond);
  EXPECT_FALSE(Rule(R"("name": "a")").active);
}

TEST(WhenTest, WhatIsNoDurationIsRefused) {
  const char kAllowed[] = " to ten years: a whole number of us, ms, s, m or h, such as \"250ms\"";
  for (const char* bad :
       {"\"\"", "\"s\"", "\"10\"", "10", "\"1.5s\"", "\"-1s\"", "\"10 s\"", "\"01s\"", "\"10S\"",
        "\"10d\"", "\"1ns\"", "\"87601h\"", "\"99999999999999999999s\"", "null", "\"1e3s\""}) {
    EXPECT_EQ(ActiveError(absl::StrCat("\"from\": ", bad)),
              absl::StrCat("/active/from: found ", bad, ", allowed 0s", kAllowed));
  }
  EXPECT_EQ(ActiveError(R"("for": "0s")"),
            absl::StrCat("/active/for: found \"0s\", allowed 1us", kAllowed));
}

TEST(WhenTest, ATimeThatMeansNothingIsRefused) {
  EXPECT_EQ(ActiveError(R"("for": "2s", "every": "2s")"),
            "/active/every: found \"2s\" with for \"2s\", allowed more than for: the time from "
            "one start to the next");
  EXPECT_EQ(
      ActiveError(R"("from": "1s", "every": "2s")"),
      "/active/for: found nothing, allowed how long the rule holds each time, as every is given");
  EXPECT_EQ(ActiveError(""),
            "/active/for: found nothing, allowed how long the rule holds, or the start (from)");
  EXPECT_EQ(ActiveError(R"("until": "2s")"),
            "/active/until: found an unknown key, allowed from, for, every");
  EXPECT_EQ(ErrorOf(R"("active": "10s")"),
            "/active: found \"10s\", allowed an object with the keys from, for, every");
}

TEST(WhenTest, PacketsAndFlowsBoundARule) {
  EXPECT_EQ(Rule(R"("packets": 1)").packets, 1u);
  EXPECT_EQ(Rule(R"("packets": 281474976710656)").packets, 1ull << 48);
  for (const char* bad : {"0", "-1", "281474976710657", "1.5", "\"5\"", "null"}) {
    EXPECT_EQ(
        ErrorOf(absl::StrCat("\"packets\": ", bad)),
        absl::StrCat("/packets: found ", bad, ", allowed an integer from 1 to 281474976710656"));
  }
  EXPECT_EQ(Rule(R"("flows": "5%")").flows->value, 0.05);
  for (const char* bad : {"\"101%\"", "-0.1", "true", "[]"}) {
    EXPECT_NE(ErrorOf(absl::StrCat("\"flows\": ", bad)).find("allowed a fraction from 0 to 1"),
              std::string::npos)
        << bad;
  }
}

TEST(WhenTest, TheDefaultHoldsAlways) {
  for (const char* key : {"active", "packets", "flows"}) {
    EXPECT_EQ(
        ParsePolicy(absl::StrCat(R"({"version": 1, "default": {")", key, "\": 1}}"), "p")
            .status()
            .message(),
        absl::StrCat("p: /default/", key, ": found an unknown key, allowed about, loss, forward"));
  }
}

TEST(WhenTest, ARuleHoldsAlwaysUnlessAConditionEnds) {
  EXPECT_TRUE(HoldsAlways(Rule(R"("name": "a")")));
  EXPECT_TRUE(HoldsAlways(Rule(R"("flows": "100%")")));
  EXPECT_TRUE(HoldsAlways(Rule(R"("active": {"from": "0s"})")));
  EXPECT_FALSE(HoldsAlways(Rule(R"("active": {"from": "1us"})")));
  EXPECT_FALSE(HoldsAlways(Rule(R"("active": {"for": "10s"})")));
  EXPECT_FALSE(HoldsAlways(Rule(R"("packets": 5)")));
  EXPECT_FALSE(HoldsAlways(Rule(R"("flows": "99%")")));
}

}  // namespace
}  // namespace twinpath
