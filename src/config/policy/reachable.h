// SPDX-License-Identifier: BSD-3-Clause
// Which rules of a policy a packet can reach. Pure functions.

#ifndef TWINPATH_CONFIG_POLICY_REACHABLE_H_
#define TWINPATH_CONFIG_POLICY_REACHABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "src/config/policy/policy.h"

namespace twinpath {

// For each rule, and last for the default, whether a packet from one of `ports` can reach it,
// judging by keys: a rule counts as shadowed where earlier rules that always hold have all its keys
// or match its whole port. A rule with a condition shadows none.
std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports);

// Why nothing reaches `rule`: the earlier rule that has the same match, or matches its whole port.
std::string ShadowOf(const Policy& policy, size_t rule);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_REACHABLE_H_
