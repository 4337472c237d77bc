// SPDX-License-Identifier: BSD-3-Clause
// The "match" object of a rule -> MatchSpec. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_MATCH_H_
#define TWINPATH_CONFIG_POLICY_MATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Reads `match`, which may be absent: then everything matches. Fields that contradict each other,
// so that no frame can match, are an error.
absl::StatusOr<MatchSpec> ParseMatch(const JsonCursor& match);

// "10.0.0.0/8"; a single address has no length: "fe80::1".
std::string PrefixText(const AddressPrefix& prefix);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_MATCH_H_
