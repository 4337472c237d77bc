// SPDX-License-Identifier: BSD-3-Clause
// Compiles a rule's loss and conditions to the values that the datapaths compare with. Pure
// functions.

#ifndef TWINPATH_CONFIG_COMPILE_COMPILE_LOSS_H_
#define TWINPATH_CONFIG_COMPILE_COMPILE_LOSS_H_

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/policy/types.h"

namespace twinpath {

// Fills in loss, model, threshold and flags of `rule`, and adds to the models and intervals of
// `compiled`. Equivalent models become the same: a correlated loss is a chain of two states, and a
// loss of rate 0 is no loss.
void CompileLoss(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled);

// Adds the conditions of `spec` to `rule` and to the whens of `compiled`. Times count from 0: see
// SetOrigin.
void CompileConditions(const RuleSpec& spec, tp_rule* rule, CompiledPolicy* compiled);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_COMPILE_LOSS_H_
