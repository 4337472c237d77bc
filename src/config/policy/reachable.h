// SPDX-License-Identifier: BSD-3-Clause
// Which rules of a policy some packet can meet. Pure functions.

#ifndef TWINPATH_CONFIG_POLICY_REACHABLE_H_
#define TWINPATH_CONFIG_POLICY_REACHABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "src/config/policy/policy.h"

namespace twinpath {

// For each rule, and for the default behind them, whether a packet that came in by one of `ports`
// can meet it, as far as keys tell: a rule is taken for shadowed where an earlier one that always
// holds has each of its keys, or takes its port whole. A rule with a condition shadows none.
std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports);

// Why nothing reaches `rule`: the earlier rule that has its match, or that takes its port whole.
std::string ShadowOf(const Policy& policy, size_t rule);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_REACHABLE_H_
