// SPDX-License-Identifier: BSD-3-Clause
// Runs a sweep: for each combination it applies the policy, runs the command and collects results.
// Main thread.

#ifndef TWINPATH_COMPARE_SWEEP_RUN_H_
#define TWINPATH_COMPARE_SWEEP_RUN_H_

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/compare/sweep/results.h"

namespace twinpath {

struct SweepTimes {
  std::chrono::milliseconds settle{0};   // between the policy and the command
  std::chrono::milliseconds timeout{0};  // of the command; 0: none
};

struct SweepHooks {
  // Makes the policy `text` the current one. FailedPrecondition and InvalidArgument concern this
  // policy only: they become a failed run. Any other error ends the sweep.
  std::function<absl::Status(const std::string& text)> apply;
  std::function<bool()> stopped;  // asked at least every 50 ms
  // What is about to run; `done` of `all` runs are done.
  std::function<void(const std::string& what, size_t done, size_t all)> on_step;
  // A run has ended; the results hold it.
  std::function<void(const SweepRun& run)> on_run;
  // More variables for the command.
  std::vector<std::pair<std::string, std::string>> variables;
};

// Checks that each combination has a policy, and that `check` accepts it. InvalidArgument names the
// values of the combination.
absl::Status CheckSweep(const SweepResults& results,
                        const std::function<absl::Status(const std::string& text)>& check);

// Runs what `results` does not have yet. The command's processes get a group of their own, and none
// of that group is left if the run is stopped or takes too long. A note of the results says that
// the sweep was stopped.
absl::Status RunSweep(const SweepTimes& times, const SweepHooks& hooks, SweepResults* results);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_RUN_H_
