// SPDX-License-Identifier: BSD-3-Clause
// Finds the rules of a policy that a packet can reach. Pure functions.

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
  // If not reachable: the earlier rules, in order, that match its packets. Empty: the rule holds
  // for no flow, or no port has packets for it, or the policy drops its packets as malformed.
  std::vector<uint32_t> covered_by = {};
};

// For each rule, the default last: whether a packet from one of `ports` can reach it. A rule counts
// as covered if each of its keys is included in one key of an earlier rule that always holds: UDP
// covers UDP to port 53, 10.0.0.0/8 covers 10.1.0.0/16, ports 0-99 cover 10-19. A rule with a
// condition covers nothing.
std::vector<Reach> ReachOf(const Policy& policy, const std::vector<std::string>& ports);

// ReachOf, without the reasons.
std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports);

// Explains in words why no packet reaches `rule` of `policy`: which earlier rules match its
// packets.
std::string WhyUnreachable(const Policy& policy, size_t rule, const Reach& reach);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_REACHABLE_H_
