// SPDX-License-Identifier: BSD-3-Clause
// Computes what each rule decided. Packets that matched and were not lost were decided by the
// rule's current action, except those that it did not answer, which were denied, and those that
// earlier actions had decided before a reload.

#include "src/telemetry/decisions.h"

#include <algorithm>
#include <utility>

#include "src/policy/actions.h"
#include "src/policy/count.h"

namespace twinpath {
namespace {

// Indexed by enum tp_action.
constexpr tp_leaves_by kLeavesBy[TP_ACTION_COUNT] = {
#define TP_ACTION_LEAVES(name, word, leaves_by, fast, sentence) TP_LEAVES_BY_##leaves_by,
    TP_ACTIONS(TP_ACTION_LEAVES)
#undef TP_ACTION_LEAVES
};

// Stops at 0: the counters of a snapshot are read at slightly different moments.
void Subtract(const tp_count& less, tp_count* from) {
  from->packets -= std::min(less.packets, from->packets);
  from->bytes -= std::min(less.bytes, from->bytes);
}

}  // namespace

tp_count* RuleDecisions::Decided::By(uint8_t action) {
  switch (kLeavesBy[action]) {
    case TP_LEAVES_BY_KERNEL:
      return &to_pass;
    case TP_LEAVES_BY_NOTHING:
      return &denied;
    default:  // a port
      return &to_send;
  }
}

void RuleDecisions::Decided::Add(const Decided& more) {
  tp_count_sum(&to_send, &more.to_send);
  tp_count_sum(&to_pass, &more.to_pass);
  tp_count_sum(&denied, &more.denied);
}

RuleDecisions::RuleDecisions(const std::vector<tp_rule>& rules) {
  for (const tp_rule& rule : rules) rules_.push_back({rule.action, {}, {}});
}

RuleDecisions::Decided RuleDecisions::Of(const Rule& rule, const RuleSnapshot& counted) {
  tp_count spared = counted.matched;
  Subtract(counted.lost, &spared);
  for (const tp_count* earlier :
       {&rule.earlier.to_send, &rule.earlier.to_pass, &rule.earlier.denied})
    Subtract(*earlier, &spared);
  tp_count unanswered = counted.unanswered;
  Subtract(rule.unanswered_earlier, &unanswered);
  Subtract(unanswered, &spared);
  Decided decided = rule.earlier;
  tp_count_sum(&decided.denied, &unanswered);
  tp_count_sum(decided.By(rule.action), &spared);
  return decided;
}

void RuleDecisions::Replace(const std::vector<RuleSnapshot>& counted,
                            const std::vector<uint32_t>& continued,
                            const std::vector<tp_rule>& next) {
  std::vector<bool> kept(rules_.size());
  std::vector<Rule> rules;
  for (size_t r = 0; r < next.size(); r++) {
    rules.push_back({next[r].action, {}, {}});
    const uint32_t old = continued[r];
    if (old == TP_NO_RULE) continue;
    kept[old] = true;
    const bool same = rules_[old].action == next[r].action;
    rules.back().earlier = same ? rules_[old].earlier : Of(rules_[old], counted[old]);
    rules.back().unanswered_earlier =
        same ? rules_[old].unanswered_earlier : counted[old].unanswered;
  }
  for (size_t r = 0; r < rules_.size(); r++)
    if (!kept[r]) retired_.Add(Of(rules_[r], counted[r]));
  rules_ = std::move(rules);
}

void RuleDecisions::Fill(std::vector<RuleSnapshot>* rules, RuleSnapshot* retired) const {
  const auto set = [](const Decided& decided, RuleSnapshot* rule) {
    rule->to_send = decided.to_send;
    rule->to_pass = decided.to_pass;
    rule->denied = decided.denied;
  };
  for (size_t r = 0; r < rules_.size() && r < rules->size(); r++)
    set(Of(rules_[r], (*rules)[r]), &(*rules)[r]);
  set(retired_, retired);
}

}  // namespace twinpath
