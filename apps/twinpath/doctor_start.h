// SPDX-License-Identifier: BSD-3-Clause
// A trial start of the DPDK path in a child process. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_DOCTOR_START_H_
#define TWINPATH_APPS_TWINPATH_DOCTOR_START_H_

#include <string>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"

namespace twinpath {

struct StartDryRun {
  std::string refusal;  // the error that twinpath-dpdk would end with; empty: it would start
  // Virtual devices that were not started, because others would notice.
  std::vector<std::string> untried;
};

// Forks, so no other thread may run. src/dpdk/replay/dry_run.h says what is tried. Takes half a
// second, at most 30 s, and as much memory as the profile meanwhile. Leaves nothing behind.
StartDryRun DryRunStart(const Profile& profile, const Policy& policy,
                        const CompiledPolicy& compiled);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_DOCTOR_START_H_
