// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of twinpath: one function and one file each. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_
#define TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_

#include <functional>

#include "CLI/CLI.hpp"
#include "apps/program.h"

namespace twinpath {

// Does what the command line asked for, once it is parsed, and returns the exit status. Says why
// on stderr, in one line.
using Run = std::function<int()>;

// Adds one subcommand with its options to `app`, with a callback that sets *run where the command
// line chose it. `run` outlives the parsing.
using AddSubcommand = void(CLI::App* app, Run* run);

AddSubcommand AddCheck;
AddSubcommand AddDoctor;
AddSubcommand AddExplain;
AddSubcommand AddParity;
AddSubcommand AddReload;
AddSubcommand AddStats;
AddSubcommand AddTop;

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_
