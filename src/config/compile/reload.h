// SPDX-License-Identifier: BSD-3-Clause
// Computes the state that a new policy keeps from the policy that it replaces. Both paths use it.
// Pure functions.

#ifndef TWINPATH_CONFIG_COMPILE_RELOAD_H_
#define TWINPATH_CONFIG_COMPILE_RELOAD_H_

#include <cstdint>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// The result of a successful reload.
struct ReloadOutcome {
  size_t rules = 0;      // of the new policy, including the default
  size_t continued = 0;  // number of these rules that kept their streams and counts
  uint64_t reloads = 0;  // of the run so far, including this one
};

// For each rule of `after`, in order, the default last: the index of the rule of `before` whose
// streams and counts it keeps, or TP_NO_RULE if it starts from 0. A rule keeps its state if its
// name and its loss are unchanged and, if it loses anything, the seed. Its match, conditions,
// position and forward action may have changed.
std::vector<uint32_t> ContinuedRules(const Policy& before, const Policy& after);

// A policy and its compiled tables.
struct PolicyAndTables {
  const Policy& policy;
  const CompiledPolicy& compiled;
};

// Copies the kept state from `before` to `next`, which was compiled from `after`. `continued` is
// the result of ContinuedRules. A rule that keeps its state keeps the epoch of its flows and, if
// its "active" is unchanged, the origin of its time. Other rules get `epoch`, which no policy of
// this run may have used, and `now`, in nanoseconds of the datapath's clock.
void ContinueFrom(const PolicyAndTables& before, const Policy& after,
                  const std::vector<uint32_t>& continued, uint64_t epoch, uint64_t now,
                  CompiledPolicy* next);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_RELOAD_H_
