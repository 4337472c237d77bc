// SPDX-License-Identifier: BSD-3-Clause
// The options that twinpath-dpdk and twinpath-xdp share, and the summary file. Main thread.

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
  std::string policy, summary;         // files; empty: none
  std::vector<std::string> ports;      // NAME=DEVICE, as given
  std::vector<std::string> checksums;  // of --checksums, as given
  PolicyOverrides overrides;
  std::optional<std::string> flow_memory;          // "64MiB"
  std::optional<double> duration, stats_interval;  // seconds
  std::string metrics;                             // where to serve them; empty: nowhere
};

// The groups of --help. A program adds its own options to them.
inline constexpr char kPolicyGroup[] = "Ports and policy", kWhereGroup[] = "How it runs",
                      kRunGroup[] = "How long, and what it prints", kOtherGroup[] = "Other";

// Adds the options to `app`; `options` must outlive the parsing. `device` is the form of a port
// ("NAME=IFACE"), `port_help` the help text of --port. Returns the --port option.
CLI::Option* AddRunOptions(CLI::App& app, const std::string& device, const std::string& port_help,
                           RunOptions* options);

// Adds --duration, --stats-interval, --metrics and --summary. AddRunOptions includes them.
void AddRunTimes(CLI::App& app, RunOptions* options);

// Adds --version; it and --help form the last group.
void AddVersion(CLI::App& app, const std::string& program);

// Checks that the summary can be written at the end of the run, and that it does not overwrite the
// policy. OK if none is asked for. Writes nothing. An error names the file.
absl::Status CheckSummary(const RunOptions& options);

// Prints the summary's tables, and writes the summary to the file `path` if that is not empty. An
// error names the file.
absl::Status ShowSummary(const nlohmann::ordered_json& summary, const std::string& path);

}  // namespace twinpath

#endif  // TWINPATH_APPS_RUN_OPTIONS_H_
