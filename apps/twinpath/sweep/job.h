// SPDX-License-Identifier: BSD-3-Clause
// A sweep from its options to its output. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SWEEP_JOB_H_
#define TWINPATH_APPS_TWINPATH_SWEEP_JOB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "apps/twinpath/running/choice.h"

namespace twinpath {

struct SweepOptions {
  std::string policy;
  std::vector<std::string> sets, gets, command;
  uint32_t repeat = 1;
  RunningChoice program;
  std::string write;  // empty: the policies go to a running program
  std::string settle = "0s", timeout;
  std::string json, csv, report;  // files and a folder; "-": standard output; empty: none
  bool resume = false;
};

// Returns the exit status.
int RunSweepJob(const SweepOptions& options);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SWEEP_JOB_H_
