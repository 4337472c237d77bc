// SPDX-License-Identifier: BSD-3-Clause
// What a policy takes over from the one before it, where it is changed while packets flow: the same
// on both paths. Pure functions.

#ifndef TWINPATH_CONFIG_COMPILE_RELOAD_H_
#define TWINPATH_CONFIG_COMPILE_RELOAD_H_

#include <cstdint>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// A policy that was put into force.
struct ReloadOutcome {
  size_t rules = 0;      // of the new policy, the default included
  size_t continued = 0;  // of these, whose streams and counts go on
  uint64_t reloads = 0;  // of the run so far, this one included
};

// For each rule of `after`, in order, the default last: the number of the rule of `before` that it
// goes on with, stream by stream and count by count, or TP_NO_RULE where it begins anew. A rule
// goes on where its name and its loss are what they were, and, if it loses at all, the seed: its
// match, conditions, place and way forward may have changed.
std::vector<uint32_t> ContinuedRules(const Policy& before, const Policy& after);

// A policy, and the tables that were compiled of it.
struct PolicyAndTables {
  const Policy& policy;
  const CompiledPolicy& compiled;
};

// Lets `next`, compiled of `after`, go on from `before` by `continued` (ContinuedRules): a rule
// that goes on keeps the epoch of its flows and, if its "active" is the same, too, the time that
// this counts from. Other rules get `epoch`, which no policy of this run had before, and `now`, in
// nanoseconds of the datapath's clock.
void ContinueFrom(const PolicyAndTables& before, const Policy& after,
                  const std::vector<uint32_t>& continued, uint64_t epoch, uint64_t now,
                  CompiledPolicy* next);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_RELOAD_H_
