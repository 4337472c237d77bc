// SPDX-License-Identifier: BSD-3-Clause
// The page of a sweep: a plot for each result, the table, and what was run. It needs no other file,
// no network and no script. Pure functions.

#ifndef TWINPATH_COMPARE_SWEEP_PAGE_H_
#define TWINPATH_COMPARE_SWEEP_PAGE_H_

#include <string>

#include "src/compare/sweep/results.h"

namespace twinpath {

// One parameter: a line over its numbers, or a row of dots for each of its words. Several
// parameters: a heat map of the last two, for each combination of the others.
std::string SweepPage(const SweepResults& results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_PAGE_H_
