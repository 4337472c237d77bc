// SPDX-License-Identifier: BSD-3-Clause
// The rows that people read: repetitions of one case become medians with intervals. Pure; any
// thread.

#ifndef TWINPATH_COMPARE_RESULT_SUMMARY_H_
#define TWINPATH_COMPARE_RESULT_SUMMARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/compare/measure/statistics.h"
#include "src/compare/result/results.h"

namespace twinpath {

// Latency and cost at one load.
struct LoadRow {
  double load = 0;                // of the throughput
  Estimate offered;               // packets a second
  Estimate p50, p99, p999, most;  // nanoseconds; count 0: not measured
  Estimate cpu;                   // seconds a million packets
};

struct CaseRow {
  CaseKey key;
  Estimate throughput;             // packets a second
  bool generator_limited = false;  // in most repetitions
  Estimate highest;                // the most that was received a second, at any offered rate
  Estimate cpu;                    // seconds a million packets, at the highest rate that passed
  std::vector<LoadRow> loads;      // in ascending order
  // Over all trials.
  uint64_t matched = 0, lost = 0;
  double lost_asked = 0;
  uint64_t trials = 0, noisy = 0, unconserved = 0;
  TrialCounts counts;
};

// One row for each case that has a trial, in the order of results.engines, then size, then loss.
std::vector<CaseRow> Summarize(const Results& results);

// The rows that two runs have in common.
struct Difference {
  CaseKey key;
  std::string what;  // "throughput", "CPU"
  Estimate before, now;
  double change = 0;  // now / before - 1
  double p = 1;       // see RankSumP
  bool beyond_noise = false;
  bool too_few = false;  // no difference could be beyond noise with so few repetitions
};

// A difference is beyond noise where the rank-sum test is below 5 % and the medians are more than
// 1 % apart.
std::vector<Difference> CompareResults(const Results& before, const Results& now);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RESULT_SUMMARY_H_
