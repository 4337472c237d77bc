// SPDX-License-Identifier: BSD-3-Clause
// The command line of twinpath compare. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_COMPARE_OPTIONS_H_
#define TWINPATH_APPS_TWINPATH_COMPARE_OPTIONS_H_

#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "src/compare/lab/lab.h"
#include "src/compare/plan/settings.h"

namespace twinpath {

struct CompareOptions {
  std::string policy, profile;
  std::map<std::string, std::string> given;  // key of a profile -> value of its option
  std::vector<std::string> ports;            // NAME=DEVICE
  std::string generator_port, receiver_port;
  std::string report = "twinpath-compare";
  std::string against, programs;
  bool resume = false, json = false, csv = false;
};

void AddCompareOptions(CLI::App* compare, CompareOptions* options);

// The profile's settings, changed by the options.
absl::StatusOr<CompareSettings> SettingsOf(const CompareOptions& options);

// The links: a lab of one's own without ports, else the given ports and interfaces. `lan` and `wan`
// are the engines' devices.
absl::StatusOr<LabLinks> LinksOf(const CompareOptions& options);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_COMPARE_OPTIONS_H_
