// SPDX-License-Identifier: BSD-3-Clause
// Applies --loss, --match, --forward and --seed of the command line, and `twinpath set`, to a
// policy. Control thread.

#ifndef TWINPATH_CONFIG_OVERRIDES_H_
#define TWINPATH_CONFIG_OVERRIDES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Applies the options to `policy`. `ports` are the program's ports, and include all ports of the
// policy. InvalidArgument names the option.
absl::Status ApplyOverrides(const PolicyOverrides& overrides, const std::vector<std::string>& ports,
                            Policy* policy);

// InvalidArgument if --loss or --forward has no effect, because rules of the policy match every
// packet. The error names these rules. `overrides` were applied to `policy` before.
absl::Status CheckOverridesReach(const Policy& policy, const PolicyOverrides& overrides,
                                 const std::vector<std::string>& ports);

// Gives the rule `name` ("default": the default rule) a random loss at this rate, for `twinpath
// set`. Keeps its scope and ecn_mark. InvalidArgument names the option: --rule or --loss.
absl::Status SetLoss(const std::string& name, const std::string& rate, Policy* policy);

// InvalidArgument if no packet from `ports` reaches the rule `name`, because earlier rules match
// all its packets. The error names these rules.
absl::Status CheckReached(const std::string& name, const Policy& policy,
                          const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_OVERRIDES_H_
