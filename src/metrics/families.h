// SPDX-License-Identifier: BSD-3-Clause
// A snapshot in the data model of Prometheus: every counter of src/telemetry/counters.h, with
// labels. twinpath-metrics(7) lists the names. Pure functions.

#ifndef TWINPATH_METRICS_FAMILIES_H_
#define TWINPATH_METRICS_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <cstddef>
#include <vector>

#include "src/telemetry/snapshot.h"

namespace twinpath {

// The most rules that get series of their own: those with the most packets. The series of all rules
// together, twinpath_rules_..., are always complete.
inline constexpr size_t kMaxRuleSeries = 100;

// The families of `snapshot`. Counts become counters whose names end in "_total"; times are in
// seconds. Label values are UTF-8: other bytes become U+FFFD.
std::vector<prometheus::MetricFamily> MetricFamilies(const Snapshot& snapshot,
                                                     size_t max_rules = kMaxRuleSeries);

}  // namespace twinpath

#endif  // TWINPATH_METRICS_FAMILIES_H_
