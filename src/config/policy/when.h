// SPDX-License-Identifier: BSD-3-Clause
// Reads a rule's conditions: the keys "active", "packets" and "flows". Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_WHEN_H_
#define TWINPATH_CONFIG_POLICY_WHEN_H_

#include "absl/status/status.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// Reads these keys of the rule's object into *spec. Errors are InvalidArgument and name the
// pointer, what was found and what is allowed.
absl::Status ParseWhen(const JsonCursor& rule, RuleSpec* spec);

// Whether the rule always holds, so that no later rule gets the packets that it matches.
bool HoldsAlways(const RuleSpec& rule);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_WHEN_H_
