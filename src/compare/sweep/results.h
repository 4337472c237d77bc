// SPDX-License-Identifier: BSD-3-Clause
// All that a sweep was asked and has found: its JSON there and back, the order of its runs, and its
// summary. Pure; any thread.

#ifndef TWINPATH_COMPARE_SWEEP_RESULTS_H_
#define TWINPATH_COMPARE_SWEEP_RESULTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/compare/measure/statistics.h"
#include "src/compare/result/results.h"
#include "src/compare/sweep/collect.h"
#include "src/compare/sweep/matrix.h"

namespace twinpath {

// One run of the command.
struct SweepRun {
  Combination combination;
  uint32_t repetition = 0;         // from 0
  std::optional<int> exit_status;  // nullopt: the command did not run or did not end
  double seconds = 0;
  std::vector<nlohmann::ordered_json> values;  // one for each result; null: there is none
  std::string problem;                         // empty: the run succeeded
};

struct SweepResults {
  std::string version, started;  // "2026-11-30T12:00:00Z"
  double duration = 0;           // seconds
  bool complete = false;
  PolicyFacts policy;
  std::vector<std::string> command;
  std::vector<SweepParameter> parameters;
  std::vector<SweepResult> results;
  uint32_t repetitions = 1;
  std::vector<std::pair<std::string, std::string>> machine;
  std::vector<std::string> notes;
  std::vector<SweepRun> runs;
};

nlohmann::ordered_json SweepJson(const SweepResults& results);

// InvalidArgument: `text` is not SweepJson's; `file` is its name in the error.
absl::StatusOr<SweepResults> ParseSweep(std::string_view text, const std::string& file);

// Whether both ask the same of the same policy; `repetitions` may differ.
bool SameSweep(const SweepResults& a, const SweepResults& b);

struct SweepStep {
  Combination combination;
  uint32_t repetition = 0;
};
// The runs that `results` does not have yet. Repetitions are interleaved over the combinations, and
// each begins with another combination, so that a slow change of the machine affects all alike.
std::vector<SweepStep> SweepSchedule(const SweepResults& results);

// The runs of one combination.
struct SweepRow {
  Combination combination;
  size_t runs = 0, failed = 0;
  std::vector<Estimate> results;   // of the numbers; count 0: there are none
  std::vector<std::string> words;  // of a result that is no number: its value if all runs agree
  Estimate seconds;
  std::string problem;  // of the first run that failed
};
// A row for each combination that has a run, in the order of Combinations().
std::vector<SweepRow> SummarizeSweep(const SweepResults& results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_RESULTS_H_
