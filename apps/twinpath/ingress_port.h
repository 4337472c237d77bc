// SPDX-License-Identifier: BSD-3-Clause
// The port by which the frames of a command line come in. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
#define TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Where --port is among *ports, the policy's; empty: the first, and one is made where there is
// none. A name that the policy has not is one more port where no rule tells one port from another;
// else it is InvalidArgument.
absl::StatusOr<size_t> ChoosePort(const Policy& policy, const std::string& port,
                                  std::vector<std::string>* ports);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_INGRESS_PORT_H_
