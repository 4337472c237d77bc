// SPDX-License-Identifier: BSD-3-Clause
// A sweep for a terminal and for a spreadsheet. Pure; any thread.

#ifndef TWINPATH_COMPARE_SWEEP_TEXT_H_
#define TWINPATH_COMPARE_SWEEP_TEXT_H_

#include <cstddef>
#include <string>

#include "src/compare/sweep/results.h"

namespace twinpath {

std::string ValueText(double value);  // "1.02", "3.51e+06"
// "1.02 (0.98 to 1.1)"; "" for no estimate.
std::string EstimateText(const Estimate& estimate);
// A result of a row: its estimate, or its word.
std::string ResultText(const SweepRow& row, size_t result);

// One line about the run that has just ended.
std::string RunText(const SweepResults& results, const SweepRun& run);

// The table at the end: one line for each combination, what failed, and the notes.
std::string SweepText(const SweepResults& results, size_t width);

// One line for each run, with a line of names.
std::string SweepCsv(const SweepResults& results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_TEXT_H_
