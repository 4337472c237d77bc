// SPDX-License-Identifier: BSD-3-Clause
// A trial start without side effects. It sets up the same datapath as twinpath-dpdk, with stand-ins
// for devices that other programs would notice or lose. Only for a process that ends afterwards,
// because EAL can start only once. Control thread.

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
  std::vector<Vdev> probed;     // probed only, so that the PMD checks their arguments
  std::vector<Vdev> unstarted;  // not probed; only their drivers must exist
};

// Replaces NICs, kernel interfaces and virtual devices that affect anything outside the process by
// net_null, and output files by /dev/null. `own_network`: the process has its own network
// namespace, where it may create TAP devices. Reads which interfaces exist in the current namespace
// and whether captures are files.
DryRun PlanDryRun(const Profile& profile, bool own_network);

// Starts EAL and the datapath, and frees both. `network` is a file descriptor of the network
// namespace in which `probed` is probed; -1: the current one. Returns the error that twinpath-dpdk
// would end with.
absl::Status RunDryRun(const DryRun& dry_run, const Policy& policy, CompiledPolicy compiled,
                       int network);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_DRY_RUN_H_
