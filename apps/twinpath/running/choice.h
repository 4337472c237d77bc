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

// The file prefixes of the programs to ask: the chosen one, else the default ones of `paths`.
// InvalidArgument where both options were given.
absl::StatusOr<std::vector<std::string>> ChosenPrefixes(const RunningChoice& choice,
                                                        const std::vector<std::string>& paths);

// The programs that have a policy, which can be replaced.
std::vector<std::string> PolicyPaths();

// The file prefix of the one program with a policy that is meant. NotFound where none runs, with
// the places that were tried; InvalidArgument where several run.
absl::StatusOr<std::string> ChooseWithPolicy(const RunningChoice& choice);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_RUNNING_CHOICE_H_
