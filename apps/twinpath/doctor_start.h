// SPDX-License-Identifier: BSD-3-Clause
// A rehearsed start of the DPDK path, in a process of its own. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_DOCTOR_START_H_
#define TWINPATH_APPS_TWINPATH_DOCTOR_START_H_

#include <string>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"

namespace twinpath {

struct StartDryRun {
  std::string refusal;  // what twinpath-dpdk would end with; empty: it would start
  std::vector<std::string>
      untried;  // virtual devices that were not started, as others would notice
};

// Forks: no other thread may run. See src/dpdk/replay/dry_run.h for what is tried. Takes the memory
// that the profile takes, while it lasts: half a second, and 30 s at most. Leaves nothing behind.
StartDryRun DryRunStart(const Profile& profile, const Policy& policy,
                        const CompiledPolicy& compiled);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_DOCTOR_START_H_
