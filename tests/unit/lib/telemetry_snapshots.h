// SPDX-License-Identifier: BSD-3-Clause
// Snapshots for the telemetry tests.

#ifndef TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_
#define TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_

#include <cstdint>
#include <string>

#include "src/telemetry/snapshot.h"

namespace twinpath {

// Two ports with one queue each and two rules, every counter another number, the law kept.
Snapshot SmallSnapshot(const std::string& path);

// `queues` queues over 16 ports, `rules` rules with names of `name_length` bytes, every counter
// as long as a counter can be.
Snapshot BigSnapshot(const std::string& path, size_t queues, size_t rules, size_t name_length);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_TELEMETRY_SNAPSHOTS_H_
