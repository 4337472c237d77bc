// SPDX-License-Identifier: BSD-3-Clause
// What every program says of a wrong command line: checks of values, for CLI11's check(), and one
// form for CLI11's own errors, whose words differ between its releases. Pure functions.
//
//   app.add_option("--queues", queues)->check(IntegerFrom(1, 64));
//   // --queues: found "65", allowed an integer from 1 to 64

#ifndef TWINPATH_APPS_COMMAND_LINE_H_
#define TWINPATH_APPS_COMMAND_LINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace twinpath {

// Returns what is wrong with `text` as a number of seconds from 0.001 to 1e9 (--duration,
// --stats-interval), or as a count from 1 (--packets). Empty: nothing is wrong.
std::string WrongSeconds(const std::string& text);
std::string WrongCount(const std::string& text);

// Checks that a value is an integer, or a number, from `low` to `high`. CLI11's own ranges accept
// "nan", read -1 as 2^64 - 1, and print the limits of a double.
CLI::Validator IntegerFrom(uint64_t low, uint64_t high);
CLI::Validator NumberFrom(double low, double high);

// Checks that a value is one of `words`.
CLI::Validator OneOf(const std::vector<std::string>& words);

struct UsageError {
  std::string program;  // and the subcommand: "twinpath stats"
  std::string what;     // names the option, what was found and what is allowed
};

// What is wrong with a command line that `app` refused with `error`.
UsageError ExplainUsage(CLI::App& app, const CLI::ParseError& error);

// The names of the subcommands of `app`.
std::vector<std::string> Subcommands(const CLI::App& app);

}  // namespace twinpath

#endif  // TWINPATH_APPS_COMMAND_LINE_H_
