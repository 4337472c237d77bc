// SPDX-License-Identifier: BSD-3-Clause
// Reads the "loss" of a rule from JSON. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_LOSS_H_
#define TWINPATH_CONFIG_POLICY_LOSS_H_

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/loss_spec.h"

namespace twinpath {

// The words that a policy uses: "gilbert_elliott", "flow". "none" if there is no loss.
const char* LossModelName(LossSpec::Model model);
const char* LossScopeName(LossSpec::Scope scope);

// Reads and validates a loss. If it is absent, returns LossSpec(), which loses nothing. The
// defaults of the parameters are those of tc-netem: gilbert_elliott r = 1 - p, loss_bad 100 %,
// loss_good 0 %; four_state p31 = 1 - p13, p32 = 0, p23 = 1, p14 = 0. Errors are InvalidArgument
// and name the pointer, what was found and what is allowed.
//
// The model "correlated" is the chain of two states that loses `rate` of all packets and correlates
// the fates of neighbors by `correlation`. It deliberately differs from tc-netem's correlation,
// which averages each draw with the previous one: draws then cluster around the middle, and a rate
// below a half becomes far smaller than configured.
absl::StatusOr<LossSpec> ParseLoss(const JsonCursor& loss);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_LOSS_H_
