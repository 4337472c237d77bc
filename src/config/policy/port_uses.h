// SPDX-License-Identifier: BSD-3-Clause
// Which ports a policy names, and where. Pure functions.

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

// Each port once, at its first mention: rule by rule, the match before the forward.
std::vector<PortUse> PortUses(const Policy& policy);

// InvalidArgument, with the pointer, where a port is not among `ports`.
absl::Status CheckPorts(const Policy& policy, const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_PORT_USES_H_
