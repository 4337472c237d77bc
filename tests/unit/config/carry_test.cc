// SPDX-License-Identifier: BSD-3-Clause
// Tests the state that a reloaded policy keeps from the previous one.

#include "src/config/compile/reload.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

constexpr char kHalf[] = R"("loss": {"model": "random", "rate": "50%"})";
constexpr char kFlows[] = R"("loss": {"model": "random", "rate": "50%", "scope": "flow"})";

Policy Parse(const std::string& rules, uint64_t seed = 1) {
  auto policy = ParsePolicy(
      absl::StrCat(R"({"version": 1, "seed": )", seed, R"(, "rules": [)", rules, "]}"), "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *policy;
}

std::string Rule(const std::string& name, const std::string& more) {
  return absl::StrCat(R"({"name": ")", name, R"(", )", more, R"(, "forward": "drop"})");
}

TEST(ContinuedRules, GoByNameAndLossWhereverTheyStand) {
  const Policy before = Parse(Rule("a", kHalf) + "," + Rule("b", R"("match": {"proto": "udp"})"));
  const Policy after =
      Parse(Rule("b", R"("match": {"proto": "tcp"})") + "," + Rule("new", kHalf) + "," +
            R"({"name": "a", "loss": {"model": "random", "rate": 0.5}, "forward": "reflect"})");
  EXPECT_EQ(ContinuedRules(before, after), (std::vector<uint32_t>{1, TP_NO_RULE, 0, 2}));
}

TEST(ContinuedRules, BeginAnewWithAnotherLossOrSeed) {
  const std::string untouched = Rule("none", R"("match": {"proto": "udp"})");
  const Policy before = Parse(Rule("a", kHalf) + "," + untouched);
  EXPECT_EQ(ContinuedRules(before, Parse(Rule("a", kFlows) + "," + untouched)),
            (std::vector<uint32_t>{TP_NO_RULE, 1, 2}));
  EXPECT_EQ(ContinuedRules(before, Parse(Rule("a", kHalf) + "," + untouched, 2)),
            (std::vector<uint32_t>{TP_NO_RULE, 1, 2}));
  EXPECT_EQ(ContinuedRules(before, before), (std::vector<uint32_t>{0, 1, 2}));
}

CompiledPolicy Compile(const Policy& policy) {
  auto compiled = CompilePolicy(policy, {"lan"});
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *compiled;
}

TEST(ContinueFrom, KeepsEpochAndTimeOfWhatIsTheSame) {
  const auto active = [](const char* name, const char* from) {
    return Rule(name, absl::StrCat(kFlows, R"(, "active": {"from": ")", from, R"("})"));
  };
  const Policy before = Parse(active("same", "1s") + "," + active("other", "1s"));
  const Policy after =
      Parse(active("new", "1s") + "," + active("other", "2s") + "," + active("same", "1s"));
  CompiledPolicy old = Compile(before), next = Compile(after);
  SetOrigin(1000, &old);
  for (tp_rule& rule : old.rules) rule.epoch = 5;
  const std::vector<uint32_t> continued = ContinuedRules(before, after);
  ASSERT_EQ(continued, (std::vector<uint32_t>{TP_NO_RULE, 1, 0, 2}));
  ContinueFrom({before, old}, after, continued, 6, 2000, &next);
  const auto origin = [&](size_t rule) { return next.whens[next.rules[rule].when].origin; };
  EXPECT_EQ(next.rules[0].epoch, 6u);
  EXPECT_EQ(origin(0), 2000u);
  EXPECT_EQ(next.rules[1].epoch, 5u);
  EXPECT_EQ(origin(1), 2000u);  // another "active" counts from now
  EXPECT_EQ(next.rules[2].epoch, 5u);
  EXPECT_EQ(origin(2), 1000u);
  EXPECT_EQ(next.rules[3].epoch, 5u);
}

}  // namespace
}  // namespace twinpath
