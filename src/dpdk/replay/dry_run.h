// SPDX-License-Identifier: BSD-3-Clause
// A trial start without side effects: the datapath as twinpath-dpdk would set it up, but with
// stand-ins for devices that others would notice or lose. For a process that ends afterwards: EAL
// starts once. Control thread.

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
  Profile profile;              // with the ports and EAL arguments to try
  std::vector<Vdev> probed;     // tried until the PMD has read their arguments
  std::vector<Vdev> unstarted;  // only their drivers are searched for
};

// Replaces NICs, kernel interfaces and virtual devices that would touch anything outside the
// process by net_null, and files to be written by /dev/null. With `own_network` the process has a
// network namespace of its own, where it may create TAP devices. Reads which interfaces exist in
// the present one, and which kind of file a capture is.
DryRun PlanDryRun(const Profile& profile, bool own_network);

// Starts EAL and the datapath, and frees both. `network`, a file descriptor, is the network
// namespace in which `probed` is probed; -1: the present one. Returns the error with which
// twinpath-dpdk would end.
absl::Status RunDryRun(const DryRun& dry_run, const Policy& policy, CompiledPolicy compiled,
                       int network);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_DRY_RUN_H_
