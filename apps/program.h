// SPDX-License-Identifier: BSD-3-Clause
// How every program begins and ends: its command line, its exit status, and why it failed. Main
// thread.

#ifndef TWINPATH_APPS_PROGRAM_H_
#define TWINPATH_APPS_PROGRAM_H_

#include <optional>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace twinpath {

enum ExitStatus {
  kDone = 0,
  kFailed = 1,  // while running
  kWrong = 2,   // usage or input; nothing was done
};

// Says why on stderr, in a line that begins with `program` ("twinpath check"); returns
// `exit_status`.
int Say(absl::string_view program, ExitStatus exit_status, absl::string_view why);
inline int Say(absl::string_view program, ExitStatus exit_status, const absl::Status& why) {
  return Say(program, exit_status, why.message());
}

// To be called when a program ends with `status`: what that becomes, kFailed where all was well but
// that not all of standard output could be written. A full disk, or a pipe that nobody reads any
// more, must not look like success. Where a terminal is gone nobody waits for it.
int Ended(absl::string_view program, int status);

// Of an operation that failed: kWrong where what it was given is not right, kFailed otherwise.
inline ExitStatus ExitStatusOf(const absl::Status& failure) {
  return absl::IsInvalidArgument(failure) ? kWrong : kFailed;
}

// Parses the command line of `app`, whose name is the program's. An exit status where the program
// is to end: after --help or --version, which it answers, or with what is wrong, which it says,
// followed by `hint`.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv,
                                    absl::string_view hint = "");

}  // namespace twinpath

#endif  // TWINPATH_APPS_PROGRAM_H_
