// SPDX-License-Identifier: BSD-3-Clause
// A start that nobody notices: the datapath as twinpath-dpdk would set it up, but with stand-ins
// for what others would see or lose by it. For a process that ends after it: EAL starts once.
// Control thread.

#ifndef TWINPATH_DPDK_REPLAY_DRY_RUN_H_
#define TWINPATH_DPDK_REPLAY_DRY_RUN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/port/device.h"

namespace twinpath {

struct DryRun {
  Profile profile;              // its ports and EAL arguments are those that are tried
  std::vector<Vdev> probed;     // tried as far as the PMD's reading of their arguments
  std::vector<Vdev> unstarted;  // of which only the driver is looked for
};

// NICs, kernel interfaces and virtual devices that would touch what is not the process's own become
// net_null; files to be written, /dev/null. With `own_network` the process has a network namespace
// of its own, where TAP devices may be made. Pure, but for looking what kind of file a capture is.
DryRun PlanDryRun(const Profile& profile, bool own_network);

// Starts EAL and everything after it, and lets go of it again. `network` is a network namespace (a
// file descriptor) to go back to before what is probed is probed; -1: this one is it. The error is
// the one that twinpath-dpdk would end with.
absl::Status RunDryRun(const DryRun& dry_run, const Policy& policy, CompiledPolicy compiled,
                       int network);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_DRY_RUN_H_
