// SPDX-License-Identifier: BSD-3-Clause
// --port of the subcommands that run frames through a policy: the port that receives the frames.
// Main thread.

#ifndef TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
#define TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Returns the index of --port in *ports, the policy's ports. Empty `port`: the first one;
// InvalidArgument if there is none, because losses depend on the port's name. Adds a name that is
// not in *ports if no rule matches on ports; otherwise such a name is InvalidArgument.
absl::StatusOr<size_t> ChoosePort(const Policy& policy, const std::string& port,
                                  std::vector<std::string>* ports);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
