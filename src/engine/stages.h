// SPDX-License-Identifier: BSD-3-Clause
// The stages that the headers and general tiers share. Included only by decide_headers.cc and
// decide_general.cc.

#ifndef TWINPATH_ENGINE_STAGES_H_
#define TWINPATH_ENGINE_STAGES_H_

#include <cstdint>

#include "src/engine/burst.h"

namespace twinpath {

struct Parsed {
  uint64_t malformed;  // bit i: frame i is malformed, and the policy drops it
  uint64_t bytes;      // of all frames
};

// Computes keys from frames.
Parsed Parse(const QueuePlan& plan, uint32_t count, Burst* burst);

// Computes rules from keys, for all frames that are not dropped as malformed.
void Classify(QueuePlan* plan, uint32_t count, uint64_t malformed, Burst* burst);

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_STAGES_H_
