// SPDX-License-Identifier: BSD-3-Clause
// What the command lines of the two datapath programs share, and their summary's file. Main thread.

#ifndef TWINPATH_APPS_RUN_OPTIONS_H_
#define TWINPATH_APPS_RUN_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "src/config/policy/policy.h"

namespace twinpath {

struct RunOptions {
  std::string policy, summary;     // files; empty: none
  std::vector<std::string> ports;  // NAME=DEVICE, as given
  PolicyOverrides overrides;
  std::optional<std::string> flow_memory;          // "64MiB"
  std::optional<double> duration, stats_interval;  // seconds
};

// Adds the options; `options` must outlive the parsing. `device` says what a port is here
// ("NAME=IFACE"), `port_help` more of it. Returns the --port option.
CLI::Option* AddRunOptions(CLI::App& app, const std::string& device, const std::string& port_help,
                           RunOptions* options);

// Whether the summary, if one is wanted, can be written at the end, and not over the policy;
// nothing is written now. Otherwise the error names the file.
absl::Status CheckSummary(const RunOptions& options);

// Prints the summary's table, and writes the summary to `path`, if any. An error names the file.
absl::Status ShowSummary(const nlohmann::ordered_json& summary, const std::string& path);

}  // namespace twinpath

#endif  // TWINPATH_APPS_RUN_OPTIONS_H_
