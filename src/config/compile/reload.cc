// SPDX-License-Identifier: BSD-3-Clause
// Rules are identified by their names, like their streams. Pure functions.

#include "src/config/compile/reload.h"

#include <string_view>
#include <unordered_map>

namespace twinpath {
namespace {

const RuleSpec& SpecOf(const Policy& policy, size_t rule) {
  return rule < policy.rules.size() ? policy.rules[rule] : policy.fallback;
}

}  // namespace

std::vector<uint32_t> ContinuedRules(const Policy& before, const Policy& after) {
  std::unordered_map<std::string_view, uint32_t> old;
  for (size_t r = 0; r <= before.rules.size(); r++)
    old.emplace(SpecOf(before, r).name, static_cast<uint32_t>(r));
  std::vector<uint32_t> continued;
  continued.reserve(after.rules.size() + 1);
  for (size_t r = 0; r <= after.rules.size(); r++) {
    const RuleSpec& spec = SpecOf(after, r);
    const auto same = old.find(spec.name);
    const bool kept = same != old.end() && SpecOf(before, same->second).loss == spec.loss &&
                      (before.seed == after.seed || spec.loss.model == LossSpec::Model::kNone);
    continued.push_back(kept ? same->second : TP_NO_RULE);
  }
  return continued;
}

void ContinueFrom(const PolicyAndTables& before, const Policy& after,
                  const std::vector<uint32_t>& continued, uint64_t epoch, uint64_t now,
                  CompiledPolicy* next) {
  SetOrigin(now, next);
  for (size_t r = 0; r < next->rules.size(); r++) {
    tp_rule& rule = next->rules[r];
    rule.epoch = epoch;
    if (continued[r] == TP_NO_RULE) continue;
    const tp_rule& old = before.compiled.rules[continued[r]];
    rule.epoch = old.epoch;
    const std::optional<TimeWindow>& active = SpecOf(after, r).active;
    if (active.has_value() && SpecOf(before.policy, continued[r]).active == active)
      next->whens[rule.when].origin = before.compiled.whens[old.when].origin;
  }
}

}  // namespace twinpath
