// SPDX-License-Identifier: BSD-3-Clause
// Results for a terminal and for a spreadsheet, and numbers as people write them. Pure; any thread.

#ifndef TWINPATH_COMPARE_RESULT_TEXT_H_
#define TWINPATH_COMPARE_RESULT_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/compare/result/results.h"
#include "src/compare/result/summary.h"

namespace twinpath {

std::string RateText(double packets_a_second);  // "3.21 Mpps", "950 pps"
std::string TimeText(double nanoseconds);       // "12.3 us", "950 ns"
std::string ShareText(double share);            // "1.002 %"
std::string LossText(const std::string& loss);  // "1 %"; "policy's own" for ""

// A JSON value as a field of CSV (RFC 4180).
std::string CsvField(const nlohmann::ordered_json& value);

// The tables at the end of a run: one line for each case, the engines that did not run, and the
// notes.
std::string ResultsText(const Results& results, size_t width);
// The differences to another run, and how many are beyond noise.
std::string DifferencesText(const std::vector<Difference>& differences, size_t width);

// One line for each trial, with a line of names.
std::string ResultsCsv(const Results& results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RESULT_TEXT_H_
