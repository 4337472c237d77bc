// SPDX-License-Identifier: BSD-3-Clause
// -f, --file-prefix and --path of the subcommands that ask a running program. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_RUNNING_CHOICE_H_
#define TWINPATH_APPS_TWINPATH_RUNNING_CHOICE_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace twinpath {

struct RunningChoice {
  std::string file_prefix, path;  // empty: not given
};

// Adds the options to `subcommand`. `paths` are the programs that it can ask ("dpdk", "xdp").
void AddRunningChoice(CLI::App* subcommand, const std::vector<std::string>& paths,
                      RunningChoice* choice);

// Returns the file prefixes of the programs to ask: the chosen one, or else the default ones of
// `paths`. InvalidArgument if both options were given.
absl::StatusOr<std::vector<std::string>> ChosenPrefixes(const RunningChoice& choice,
                                                        const std::vector<std::string>& paths);

// Returns the paths that have a policy.
std::vector<std::string> PolicyPaths();

// Returns the file prefix of the chosen program, or of the only running one that has a policy.
// NotFound if none runs, with the places that were tried; InvalidArgument if several run.
absl::StatusOr<std::string> ChooseWithPolicy(const RunningChoice& choice);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_RUNNING_CHOICE_H_
