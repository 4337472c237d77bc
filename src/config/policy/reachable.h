// SPDX-License-Identifier: BSD-3-Clause
// Which rules of a policy a packet can reach. Pure functions.

#ifndef TWINPATH_CONFIG_POLICY_REACHABLE_H_
#define TWINPATH_CONFIG_POLICY_REACHABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/policy/policy.h"

namespace twinpath {

// Whether a packet can reach a rule.
struct Reach {
  bool reachable = true;
  // Not reachable: the earlier rules, in order, that take its packets. Empty: it holds for no flow,
  // no port has packets for it, or the policy drops them as malformed.
  std::vector<uint32_t> covered_by = {};
};

// For each rule, and last for the default, whether a packet from one of `ports` can reach it. A
// rule counts as covered where each of its keys lies within one key of an earlier rule that always
// holds: UDP covers UDP to port 53, 10.0.0.0/8 covers 10.1.0.0/16, ports 0-99 cover 10-19. A rule
// with a condition covers none.
std::vector<Reach> ReachOf(const Policy& policy, const std::vector<std::string>& ports);

// ReachOf, without the reasons.
std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports);

// Why nothing reaches `rule` of `policy`, in words: which earlier rules take its packets.
std::string WhyUnreachable(const Policy& policy, size_t rule, const Reach& reach);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_REACHABLE_H_
