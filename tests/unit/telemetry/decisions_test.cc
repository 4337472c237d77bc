// SPDX-License-Identifier: BSD-3-Clause
// Tests the counts of the decisions of rules about packets that they did not lose, over reloads.

#include "src/telemetry/decisions.h"

#include <gtest/gtest.h>

#include <vector>

#include "src/policy/actions.h"

namespace twinpath {
namespace {

std::vector<tp_rule> Rules(const std::vector<tp_action>& actions) {
  std::vector<tp_rule> rules;
  for (const tp_action action : actions) rules.push_back({.action = static_cast<__u8>(action)});
  return rules;
}

// A rule that matched and lost this many packets of 10 bytes.
RuleSnapshot Counted(uint64_t matched, uint64_t lost) {
  return {.matched = {matched, matched * 10}, .lost = {lost, lost * 10}};
}

std::vector<uint64_t> Packets(const RuleSnapshot& rule) {
  EXPECT_EQ(rule.to_send.bytes, rule.to_send.packets * 10);
  EXPECT_EQ(rule.to_pass.bytes, rule.to_pass.packets * 10);
  EXPECT_EQ(rule.denied.bytes, rule.denied.packets * 10);
  return {rule.to_send.packets, rule.to_pass.packets, rule.denied.packets};
}

using Three = std::vector<uint64_t>;

TEST(RuleDecisionsTest, WhatARuleDoesNotLoseItDecidesByItsAction) {
  const RuleDecisions decisions(
      Rules({TP_ACTION_PASS, TP_ACTION_DROP, TP_ACTION_REFLECT, TP_ACTION_PORT}));
  std::vector<RuleSnapshot> rules(4, Counted(10, 3));
  RuleSnapshot retired;
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{0, 7, 0}));
  EXPECT_EQ(Packets(rules[1]), (Three{0, 0, 7}));
  EXPECT_EQ(Packets(rules[2]), (Three{7, 0, 0}));
  EXPECT_EQ(Packets(rules[3]), (Three{7, 0, 0}));
  EXPECT_EQ(Packets(retired), (Three{0, 0, 0}));
}

TEST(RuleDecisionsTest, ARuleThatKeepsItsCountsKeepsWhatItDecidedByOtherActions) {
  RuleDecisions decisions(Rules({TP_ACTION_DROP, TP_ACTION_PASS}));
  // The rules change places; one is reflected from now on, and later dropped again.
  decisions.Replace({Counted(10, 3), Counted(5, 0)}, {1, 0},
                    Rules({TP_ACTION_PASS, TP_ACTION_REFLECT}));
  RuleSnapshot retired;
  std::vector<RuleSnapshot> rules = {Counted(6, 0), Counted(30, 8)};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{0, 6, 0}));
  EXPECT_EQ(Packets(rules[1]), (Three{15, 0, 7}));
  decisions.Replace(rules, {0, 1}, Rules({TP_ACTION_PASS, TP_ACTION_DROP}));
  rules[1] = Counted(40, 10);
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[1]), (Three{15, 0, 15}));
  EXPECT_EQ(Packets(retired), (Three{0, 0, 0}));
}

// The packets that a rule did not answer were denied, whatever a later action does with others.
TEST(RuleDecisionsTest, WhatARuleDoesNotAnswerIsDenied) {
  RuleDecisions decisions(Rules({TP_ACTION_REFLECT_ECHO}));
  RuleSnapshot retired;
  std::vector<RuleSnapshot> rules = {Counted(10, 3)};
  rules[0].unanswered = {5, 50};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{2, 0, 5}));
  decisions.Replace(rules, {0}, Rules({TP_ACTION_PASS}));
  rules[0].matched = {14, 140};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{2, 4, 5}));
  decisions.Replace(rules, {0}, Rules({TP_ACTION_REFLECT_ECHO}));
  rules[0].matched = {20, 200};
  rules[0].unanswered = {6, 60};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{7, 4, 6}));
  decisions.Replace(rules, {TP_NO_RULE}, Rules({TP_ACTION_PASS}));
  rules[0] = {};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(retired), (Three{7, 4, 6}));
}

TEST(RuleDecisionsTest, WhatARemovedRuleDecidedStaysCounted) {
  RuleDecisions decisions(Rules({TP_ACTION_DROP, TP_ACTION_PASS}));
  decisions.Replace({Counted(10, 3), Counted(5, 1)}, {TP_NO_RULE}, Rules({TP_ACTION_DROP}));
  RuleSnapshot retired;
  std::vector<RuleSnapshot> rules = {Counted(2, 0)};
  decisions.Fill(&rules, &retired);
  EXPECT_EQ(Packets(rules[0]), (Three{0, 0, 2}));
  EXPECT_EQ(Packets(retired), (Three{0, 4, 7}));
}

}  // namespace
}  // namespace twinpath
