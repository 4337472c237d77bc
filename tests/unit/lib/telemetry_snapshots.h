// SPDX-License-Identifier: BSD-3-Clause
// Snapshots for the telemetry tests.

#ifndef TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_
#define TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_

#include <cstdint>
#include <string>

#include "src/telemetry/snapshot.h"

namespace twinpath {

// Two ports with one queue each, and two rules. All counters differ, and packets are conserved.
Snapshot SmallSnapshot(const std::string& path);

// `queues` queues on 16 ports, and `rules` rules with names of `name_length` bytes. Every counter
// has as many digits as possible.
Snapshot BigSnapshot(const std::string& path, size_t queues, size_t rules, size_t name_length);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_
