// SPDX-License-Identifier: BSD-3-Clause
// A comparison that was checked and can start: what the sandbox needs to know. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_COMPARE_JOB_H_
#define TWINPATH_APPS_TWINPATH_COMPARE_JOB_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "apps/signals.h"
#include "apps/twinpath/compare/options.h"
#include "apps/twinpath/compare/sandbox.h"
#include "src/compare/run/comparison.h"

namespace twinpath {

inline constexpr char kCompare[] = "twinpath compare";

struct CompareJob {
  CompareOptions options;
  CompareSettings settings;
  LabLinks links;
  std::string programs;                        // a folder
  std::map<std::string, LossPolicy> policies;  // by loss; files that exist
  Results results;                             // of the run that goes on, or empty
  std::optional<Results> against;
};

// Reads and checks all that the options name, and makes the report's folder with the derived
// policies in it. InvalidArgument: wrong usage.
absl::StatusOr<CompareJob> PrepareJob(const CompareOptions& options);

// Writes index.html, results.json and results.csv.
absl::Status WriteReport(const CompareJob& job);

// Runs it in the sandbox. Returns the exit status.
int RunJob(CompareJob job, Sandbox sandbox, const HeldSignals& signals);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_COMPARE_JOB_H_
