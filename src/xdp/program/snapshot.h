// SPDX-License-Identifier: BSD-3-Clause
// Creates a snapshot from the maps' counters. Any thread; the kernel may count meanwhile.

#ifndef TWINPATH_XDP_PROGRAM_SNAPSHOT_H_
#define TWINPATH_XDP_PROGRAM_SNAPSHOT_H_

#include <cstddef>
#include <vector>

#include "src/telemetry/snapshot.h"
#include "src/xdp/program/run.h"

namespace twinpath {

// Appends `port` and the counters of its queues to *snapshot. `index` is the port's index in the
// policy. Adds the counts of the port's streams to the rules; the first call appends the rules.
void AppendPort(const XdpRun& run, size_t index, PortSnapshot port, Snapshot* snapshot);

// The counts of each rule of the current policy, summed over all ports and queues; without names.
std::vector<RuleSnapshot> RuleCounts(const XdpRun& run);

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_SNAPSHOT_H_
