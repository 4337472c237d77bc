// SPDX-License-Identifier: BSD-3-Clause
// The port that receives the frames of a subcommand. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
#define TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// The index of --port in *ports, the policy's ports. Empty `port`: the first one; InvalidArgument
// where there is none, because losses depend on the port's name. A name that the policy does not
// have is added where no rule matches on ports; else it is InvalidArgument.
absl::StatusOr<size_t> ChoosePort(const Policy& policy, const std::string& port,
                                  std::vector<std::string>* ports);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
