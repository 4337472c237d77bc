// SPDX-License-Identifier: BSD-3-Clause
// Counts what each rule decided about the packets that it did not lose: to send, to pass or to
// deny. A datapath counts only what a rule matched and lost, and what an action that answers did
// not answer and so denied. A rule has one action, so the rest follows. When a reload changes a
// rule's action, this class keeps the counts of the old action.
// One thread at a time.

#ifndef TWINPATH_TELEMETRY_DECISIONS_H_
#define TWINPATH_TELEMETRY_DECISIONS_H_

#include <cstdint>
#include <vector>

#include "src/policy/types.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class RuleDecisions {
 public:
  // `rules` are those of the first policy.
  explicit RuleDecisions(const std::vector<tp_rule>& rules);

  // Called when a reload replaces the current rules by `next`. `counted` has the final counts of
  // each current rule. `continued` has, for each next rule, the index of the current rule whose
  // counts it keeps, or TP_NO_RULE.
  void Replace(const std::vector<RuleSnapshot>& counted, const std::vector<uint32_t>& continued,
               const std::vector<tp_rule>& next);

  // Sets to_send, to_pass and denied of the current rules and of the removed ones (`retired`) from
  // what they matched and lost.
  void Fill(std::vector<RuleSnapshot>* rules, RuleSnapshot* retired) const;

 private:
  struct Decided {
    tp_count to_send = {}, to_pass = {}, denied = {};
    tp_count* By(uint8_t action);
    void Add(const Decided& more);
  };
  struct Rule {
    uint8_t action;                    // enum tp_action
    Decided earlier;                   // before the last reload that changed the action
    tp_count unanswered_earlier = {};  // the part of earlier.denied that was counted as unanswered
  };
  static Decided Of(const Rule& rule, const RuleSnapshot& counted);

  std::vector<Rule> rules_;
  Decided retired_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_DECISIONS_H_
