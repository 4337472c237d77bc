// SPDX-License-Identifier: BSD-3-Clause
// The stages that the tiers which look into frames share. Only for the decide_*.cc beside this.

#ifndef TWINPATH_ENGINE_STAGES_H_
#define TWINPATH_ENGINE_STAGES_H_

#include <cstdint>

#include "src/engine/burst.h"

namespace twinpath {

struct Parsed {
  uint64_t malformed;  // bit i: frame i, which has no key
  uint64_t bytes;      // of all frames
};

// frames -> keys.
Parsed Parse(const QueuePlan& plan, uint32_t count, Burst* burst);

// keys -> rules, of all frames that are not malformed.
void Classify(QueuePlan* plan, uint32_t count, uint64_t malformed, Burst* burst);

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_STAGES_H_
