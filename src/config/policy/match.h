// SPDX-License-Identifier: BSD-3-Clause
// The "match" object of a rule -> MatchSpec. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_MATCH_H_
#define TWINPATH_CONFIG_POLICY_MATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Reads `match`, which may be absent: then everything matches. A match that no frame can meet
// because its fields contradict each other is an error.
absl::StatusOr<MatchSpec> ParseMatch(const JsonCursor& match);

// "10.0.0.0/8", "fe80::1": an address of the whole length is written without it.
std::string PrefixText(const AddressPrefix& prefix);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_MATCH_H_
