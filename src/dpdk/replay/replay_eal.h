// SPDX-License-Identifier: BSD-3-Clause
// EAL for a process that only replays frames: without NICs and telemetry, and without a file left
// behind. One thread.

#ifndef TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
#define TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_

#include "absl/status/status.h"

namespace twinpath {

// Starts EAL unless it is running, without hugepages. Keeps the CPU affinity of the calling thread.
// Every call returns the same result.
absl::Status StartReplayEal();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_REPLAY_EAL_H_
