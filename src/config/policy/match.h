// SPDX-License-Identifier: BSD-3-Clause
// Reads the "match" object of a rule from JSON. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_MATCH_H_
#define TWINPATH_CONFIG_POLICY_MATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Reads `match`. If it is absent, everything matches. InvalidArgument also if fields contradict
// each other, so that no frame can match.
absl::StatusOr<MatchSpec> ParseMatch(const JsonCursor& match);

// "10.0.0.0/8"; a single address has no length: "fe80::1".
std::string PrefixText(const AddressPrefix& prefix);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_MATCH_H_
