// SPDX-License-Identifier: BSD-3-Clause
// A whole comparison: the schedule's steps, each with its searches and loads, into the results.
// Main thread.

#ifndef TWINPATH_COMPARE_RUN_COMPARISON_H_
#define TWINPATH_COMPARE_RUN_COMPARISON_H_

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "src/compare/plan/schedule.h"
#include "src/compare/plan/settings.h"
#include "src/compare/result/results.h"
#include "src/compare/run/bench.h"
#include "src/compare/run/engines.h"

namespace twinpath {

struct ComparisonHooks {
  std::function<bool()> stopped;  // asked between trials
  // What is about to be measured; `done` of `all` steps are done.
  std::function<void(const std::string& what, size_t done, size_t all)> on_step;
  // A case has ended; the results hold it.
  std::function<void(const CaseKey& key)> on_case;
};

// The policy for a loss: its file, and the share of each rule's packets that its model loses.
struct LossPolicy {
  std::string file;
  std::map<std::string, double> asked;
};

class Comparison {
 public:
  // All must outlive it. `context` has no policy; `policies` has one for each loss.
  Comparison(const CompareSettings& settings, EngineContext context,
             std::map<std::string, LossPolicy> policies, BareProgramMaker bare, Bench* bench,
             Results* results);

  // The rows of the engines that were asked for, with those that are missing here.
  absl::Status FillEngines();

  // Measures what the results do not have yet. Ends early where hooks.stopped says so, or the
  // budget is used up: a note of the results says which.
  void Run(const ComparisonHooks& hooks);

 private:
  // Measures one step. An error concerns its engine alone.
  absl::Status RunStep(const Step& step, const ComparisonHooks& hooks);
  // Measures one size; false: it was stopped.
  absl::StatusOr<bool> RunCase(EngineRun* engine, const Step& step, uint32_t size,
                               const ComparisonHooks& hooks);
  // One trial; a disturbed one is repeated once if `again` says so.
  absl::StatusOr<Trial> RunTrial(EngineRun* engine, const Step& step, const TrialRequest& request,
                                 const std::function<bool(const Trial&)>& again);

  const CompareSettings& settings_;
  EngineContext context_;
  std::map<std::string, LossPolicy> policies_;
  BareProgramMaker bare_;
  Bench* bench_;
  Results* results_;
  int starts_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RUN_COMPARISON_H_
