// SPDX-License-Identifier: BSD-3-Clause
// EAL for a process that only replays frames: without NICs or telemetry. It leaves no file behind.
// One thread.

#ifndef TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
#define TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_

#include "absl/status/status.h"

namespace twinpath {

// Starts EAL without hugepages, on the first call. Keeps the CPU affinity of the calling thread.
// Later calls return the first result.
absl::Status StartReplayEal();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
