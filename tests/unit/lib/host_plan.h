// SPDX-License-Identifier: BSD-3-Clause
// A compiled policy's port as the burst decision sees it, over the host's tables. For tests; any
// thread.

#ifndef TWINPATH_TESTS_UNIT_HOST_PLAN_H_
#define TWINPATH_TESTS_UNIT_HOST_PLAN_H_

#include "src/config/compile/compile.h"
#include "src/config/compile/host_datapath.h"
#include "src/engine/burst.h"

namespace twinpath {

// Streams, marks, extras, flows and the time are the caller's to set.
inline QueuePlan HostPlan(const CompiledPolicy& policy, size_t port) {
  const tp_plan& plan = policy.plans[port];
  return {.datapath = HostDatapath(policy, port),
          .n_shapes = plan.n_shapes,
          .fallback = plan.fallback,
          .tier = static_cast<tp_tier>(plan.tier),
          .timed = policy.timed,
          .counted = policy.counted};
}

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_HOST_PLAN_H_
