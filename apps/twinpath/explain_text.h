// SPDX-License-Identifier: BSD-3-Clause
// Explanations as text and as JSON. Pure functions.

#ifndef TWINPATH_APPS_TWINPATH_EXPLAIN_TEXT_H_
#define TWINPATH_APPS_TWINPATH_EXPLAIN_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/explain/packet.h"

namespace twinpath {

// If many rules did not match, the text shows only the last ones. The JSON has all.
std::string ExplainText(const Policy& policy, const CompiledPolicy& compiled,
                        const ExplainRequest& request, const Explanation& explanation);

// rule, verdict, out_port and sha256 are those of `twinpath parity --verdicts`. Fails only if the
// digest fails.
absl::StatusOr<nlohmann::ordered_json> ExplainJson(const Policy& policy,
                                                   const CompiledPolicy& compiled,
                                                   const ExplainRequest& request,
                                                   const Explanation& explanation);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_EXPLAIN_TEXT_H_
