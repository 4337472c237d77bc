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

// Changes `policy`, all of whose ports are among `ports`, the program's. InvalidArgument names the
// option.
absl::Status ApplyOverrides(const PolicyOverrides& overrides, const std::vector<std::string>& ports,
                            Policy* policy);

// InvalidArgument where --loss or --forward changes nothing, because rules of the policy that
// `overrides` were applied to take every packet: the error names them.
absl::Status CheckOverridesReach(const Policy& policy, const PolicyOverrides& overrides,
                                 const std::vector<std::string>& ports);

// Gives the rule `name` ("default": the default rule) a random loss at this rate, as `twinpath set`
// does. Its scope and ecn_mark stay. InvalidArgument names the option: --rule or --loss.
absl::Status SetLoss(const std::string& name, const std::string& rate, Policy* policy);

// InvalidArgument if no packet from `ports` reaches the rule `name`, because earlier rules take
// them all: the error names these.
absl::Status CheckReached(const std::string& name, const Policy& policy,
                          const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_OVERRIDES_H_
