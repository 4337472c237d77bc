// SPDX-License-Identifier: BSD-3-Clause
// The order of a comparison: repetitions are interleaved over the engines, and each repetition
// begins with another engine, so that a slow change of the machine touches all of them alike. Pure;
// any thread.

#ifndef TWINPATH_COMPARE_PLAN_SCHEDULE_H_
#define TWINPATH_COMPARE_PLAN_SCHEDULE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "src/compare/plan/settings.h"
#include "src/compare/result/results.h"

namespace twinpath {

// An engine is started once for all sizes.
struct Step {
  std::string engine, loss;
  uint32_t repetition = 0;
  std::vector<uint32_t> sizes;
};

// What is still to be measured of `settings` by the engines of `results` that run here: all but
// what `results` already has.
std::vector<Step> MakeSchedule(const CompareSettings& settings, const Results& results);

// The time left, from the time that the steps so far took; 0 before the first one has ended.
double SecondsLeft(double elapsed, size_t done, size_t all);

// "12 of 40 [#####.......] 2:05 left", in at most `width` columns.
std::string ProgressText(const std::string& what, double elapsed, size_t done, size_t all,
                         size_t width);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_PLAN_SCHEDULE_H_
