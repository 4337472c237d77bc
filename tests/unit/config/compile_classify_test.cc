// SPDX-License-Identifier: BSD-3-Clause
// Compares lookups in the compiled tables (tp_classify) with a linear scan over the rules as
// written. Thousands of random policies, over generated frames.

#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/rule_table.h"
#include "src/policy/pipeline.h"
#include "tests/unit/lib/match_oracle.h"

namespace twinpath {
namespace {

const std::vector<std::string> kPorts = {"a", "b", "c"};

uint32_t FirstMatch(const Policy& policy, const tp_key& key) {
  uint32_t rule = 0;
  while (rule < policy.rules.size() && !Matches(policy.rules[rule].match, key, kPorts)) rule++;
  return rule;
}

uint32_t Classify(const CompiledPolicy& compiled, const tp_key& key) {
  const tp_plan& plan = compiled.plans[key.port];
  if (plan.n_shapes == 0) return plan.fallback;
  tp_datapath dp = {};
  dp.tables.shapes = compiled.shapes.data() + plan.first_shape;
  dp.tables.buckets = compiled.buckets.data();
  dp.tables.entries = compiled.entries.data();
  dp.tables.bucket_shift = BucketShift(compiled.buckets.size());
  return tp_classify(&dp, &key, plan.n_shapes, plan.fallback);
}

TEST(CompileClassifyTest, RandomPoliciesAnswerAsALinearScanOfTheirRules) {
  MatchGenerator generate(20260718, kPorts);
  std::vector<tp_key> keys;
  for (int i = 0; i < 400; i++) keys.push_back(generate.Key());
  uint64_t by_rule = 0, asked = 0;
  for (int i = 0; i < 3000; i++) {
    Policy policy;
    policy.fallback.name = "default";
    for (uint32_t n = generate.Below(30); n > 0; n--) {
      RuleSpec& rule = policy.rules.emplace_back();
      rule.name = absl::StrCat("r", n);
      rule.match = generate.Match(keys[generate.Below(400)]);
    }
    absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(policy, kPorts);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    for (int j = 0; j < 100; j++) {
      tp_key key = keys[generate.Below(400)];
      key.port = static_cast<uint8_t>(generate.Below(3));
      uint32_t expected = FirstMatch(policy, key);
      ASSERT_EQ(Classify(*compiled, key), expected)
          << "policy " << i << " of " << policy.rules.size();
      by_rule += expected < policy.rules.size();
      asked++;
    }
  }
  // The comparison is meaningful: rules take some packets, but not all.
  EXPECT_GT(by_rule * 10, asked * 4);
  EXPECT_LT(by_rule * 10, asked * 9);
}

TEST(CompileClassifyTest, ManyRulesOfManyShapesAnswerAsALinearScan) {
  MatchGenerator generate(1, kPorts);
  std::vector<tp_key> keys;
  for (int i = 0; i < 400; i++) keys.push_back(generate.Key());
  Policy policy;
  policy.fallback.name = "default";
  for (int r = 0; r < 4000; r++) {
    // Rules for five-tuples that no packet has, except one rule in forty.
    RuleSpec& rule = policy.rules.emplace_back();
    rule.name = absl::StrCat("r", r);
    rule.match.src =
        AddressPrefix{4, {192, 168, static_cast<uint8_t>(r >> 8), static_cast<uint8_t>(r)}, 32};
    rule.match.dst_port = PortRange{443, 443};
    if (r % 40 == 0) {
      rule.match = generate.Match(keys[generate.Below(400)]);
      rule.match.tcp_flags.reset();
      rule.match.proto = uint8_t{17};
      rule.match.src_port = PortRange{0, 0};
    }
  }
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(policy, kPorts);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  for (tp_key key : keys) {
    for (key.port = 0; key.port < 3; key.port++) {
      ASSERT_EQ(Classify(*compiled, key), FirstMatch(policy, key));
    }
  }
}

}  // namespace
}  // namespace twinpath
