// SPDX-License-Identifier: BSD-3-Clause
// A port of a compiled policy for the burst decision, with the host's tables. For tests; any
// thread.

#ifndef TWINPATH_TESTS_UNIT_HOST_PLAN_H_
#define TWINPATH_TESTS_UNIT_HOST_PLAN_H_

#include "src/config/compile/compile.h"
#include "src/config/compile/host_datapath.h"
#include "src/engine/burst.h"

namespace twinpath {

// The caller sets streams, marks, extras, flows and the time.
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
