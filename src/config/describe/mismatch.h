// SPDX-License-Identifier: BSD-3-Clause
// Explains in words why a packet does not match. Pure functions.

#ifndef TWINPATH_CONFIG_DESCRIBE_MISMATCH_H_
#define TWINPATH_CONFIG_DESCRIBE_MISMATCH_H_

#include <optional>
#include <string>
#include <vector>

#include "src/config/policy/match_spec.h"
#include "src/policy/types.h"

namespace twinpath {

struct Mismatch {
  std::string field;   // of the match, as a policy spells it: "dst"
  std::string reason;  // "dst 192.0.2.1 is not in 10.0.0.0/8"
};

// The first field of `match`, in the order of MatchSpec, that differs from the packet's key;
// nullopt if all fields match. `ports` are the program's ports, indexed by tp_key.port.
std::optional<Mismatch> FindMismatch(const MatchSpec& match, const tp_key& key,
                                     const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_DESCRIBE_MISMATCH_H_
