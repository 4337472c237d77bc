// SPDX-License-Identifier: BSD-3-Clause
// Finds the ports that a policy names, and where it names them. Pure functions.

#ifndef TWINPATH_CONFIG_POLICY_PORT_USES_H_
#define TWINPATH_CONFIG_POLICY_PORT_USES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/config/policy/policy.h"

namespace twinpath {

struct PortUse {
  std::string port;
  std::string pointer;  // "/rules/0/match/port"
};

// Each port once, at its first mention: rule by rule, "match" before "forward".
std::vector<PortUse> PortUses(const Policy& policy);

// InvalidArgument, with the pointer, if a port of the policy is not among `ports`.
absl::Status CheckPorts(const Policy& policy, const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_PORT_USES_H_
