// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of twinpath: one function and one file for each. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_
#define TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "apps/program.h"

namespace twinpath {

// Runs the chosen subcommand, after the command line was parsed. Prints an error as one line on
// stderr. Returns the exit status.
using Run = std::function<int()>;

// Adds one subcommand with its options to `app`. If the command line chose it, a callback sets
// *run. `run` must outlive the parsing.
using AddSubcommand = void(CLI::App* app, Run* run);

// The command of `twinpath sweep`: the words behind "--" of this program's command line. They do
// not go through CLI11, which would take a word such as "[a,b]" apart.
const std::vector<std::string>& CommandWords();

AddSubcommand AddCheck;
AddSubcommand AddCompare;
AddSubcommand AddDoctor;
AddSubcommand AddExplain;
AddSubcommand AddGenerate;
AddSubcommand AddParity;
AddSubcommand AddReceive;
AddSubcommand AddReload;
AddSubcommand AddSet;
AddSubcommand AddStats;
AddSubcommand AddSweep;
AddSubcommand AddTop;

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SUBCOMMAND_H_
