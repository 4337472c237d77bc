// SPDX-License-Identifier: BSD-3-Clause
// The results that a sweep takes from what a command printed. Pure; any thread.

#ifndef TWINPATH_COMPARE_SWEEP_COLLECT_H_
#define TWINPATH_COMPARE_SWEEP_COLLECT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

// One --get: a name, and a place in the JSON that the command prints.
struct SweepResult {
  std::string name, pointer;
};

// Reads "loss=/end/sum/lost_percent". InvalidArgument names the option.
absl::StatusOr<SweepResult> ParseSweepResult(const std::string& text);

// Checks that no name is used twice.
absl::Status CheckResults(const std::vector<SweepResult>& results);

// The value of each result, null where there is none, and why.
struct Collected {
  std::vector<nlohmann::ordered_json> values;
  std::string problem;  // empty: every value is there
};

// `output` is one JSON document, or lines of which the last is one.
Collected CollectResults(const std::string& output, const std::vector<SweepResult>& results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_COLLECT_H_
