// SPDX-License-Identifier: BSD-3-Clause
// What the rules decided about the packets that they did not lose: to send, to pass or to deny. A
// datapath counts what a rule matched and lost; a rule has one action, so the rest follows. Over
// reloads this keeps what a rule decided by an action that it has no more. One thread at a time.

#ifndef TWINPATH_TELEMETRY_DECISIONS_H_
#define TWINPATH_TELEMETRY_DECISIONS_H_

#include <cstdint>
#include <vector>

#include "src/policy/types.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class RuleDecisions {
 public:
  // The first policy.
  explicit RuleDecisions(const std::vector<tp_rule>& rules);

  // `next` are the rules of the policy that replaces the present one. `counted` is what each
  // present rule matched and lost when no packet was decided by it any more; `continued` is, for
  // each next rule, the present rule whose counts it keeps, or TP_NO_RULE.
  void Replace(const std::vector<RuleSnapshot>& counted, const std::vector<uint32_t>& continued,
               const std::vector<tp_rule>& next);

  // Sets to_send, to_pass and denied of the present rules, and of those that a reload removed, by
  // what they matched and lost.
  void Fill(std::vector<RuleSnapshot>* rules, RuleSnapshot* retired) const;

 private:
  struct Decided {
    tp_count to_send = {}, to_pass = {}, denied = {};
    tp_count* By(uint8_t action);
    void Add(const Decided& more);
  };
  struct Rule {
    uint8_t action;   // enum tp_action
    Decided earlier;  // before the last reload that changed the action
  };
  static Decided Of(const Rule& rule, const RuleSnapshot& counted);

  std::vector<Rule> rules_;
  Decided retired_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_DECISIONS_H_
