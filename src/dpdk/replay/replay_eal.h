// SPDX-License-Identifier: BSD-3-Clause
// EAL for a process that only replays frames: no NIC, no telemetry, no file left. Any one thread.

#ifndef TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
#define TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_

#include "absl/status/status.h"

namespace twinpath {

// Starts EAL unless it runs already, on hugepages where enough are free, else without. The calling
// thread may run on the same CPUs afterwards as before. The same answer at every call.
absl::Status StartReplayEal();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
