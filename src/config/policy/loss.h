// SPDX-License-Identifier: BSD-3-Clause
// The "loss" of a rule: JSON -> LossSpec. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_LOSS_H_
#define TWINPATH_CONFIG_POLICY_LOSS_H_

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/loss_spec.h"

namespace twinpath {

// The words of a policy: "gilbert_elliott", "flow". "none" where there is no loss.
const char* LossModelName(LossSpec::Model model);
const char* LossScopeName(LossSpec::Scope scope);

// Reads and validates a loss; an absent one is LossSpec(), which loses nothing. The defaults of the
// parameters are tc-netem's: gilbert_elliott r = 1 - p, loss_bad 100 %, loss_good 0 %;
// four_state p31 = 1 - p13, p32 = 0, p23 = 1, p14 = 0. Errors are InvalidArgument and name the
// pointer, what was found and what is allowed.
//
// correlated is the chain of two states that loses `rate` of all packets, and in which the fates of
// neighbours correlate by `correlation`. tc-netem's correlation deliberately differs: it averages
// each draw with the previous one, so draws cluster around the middle, and a rate below a half
// becomes far smaller than configured.
absl::StatusOr<LossSpec> ParseLoss(const JsonCursor& loss);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_LOSS_H_
