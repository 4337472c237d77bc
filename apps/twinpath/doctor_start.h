// SPDX-License-Identifier: BSD-3-Clause
// Tries to start the DPDK path in a child process. Main thread.

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
  // Virtual devices that were not started, because other programs would notice.
  std::vector<std::string> untried;
};

// Forks, so no other thread may run. src/dpdk/replay/dry_run.h says what is tried. Takes about half
// a second, at most 30 s, and the memory of the profile during that time. Leaves nothing behind.
StartDryRun DryRunStart(const Profile& profile, const Policy& policy,
                        const CompiledPolicy& compiled);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_DOCTOR_START_H_
