// SPDX-License-Identifier: BSD-3-Clause
// How every program starts and ends: its standard descriptors, its command line, its exit status,
// and why it failed. Main thread.

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

// Returns main(argc, argv). Before, opens /dev/null in place of each standard descriptor that is
// closed. Otherwise the next file or socket would get its number, and tables or log lines would be
// written into it.
int RunMain(absl::string_view program, int argc, char** argv, int (*main)(int, char**));

// Prints `why` to stderr, in a line that starts with `program` ("twinpath check"). Returns
// `exit_status`.
int PrintError(absl::string_view program, ExitStatus exit_status, absl::string_view why);
inline int PrintError(absl::string_view program, ExitStatus exit_status, const absl::Status& why) {
  return PrintError(program, exit_status, why.message());
}

// To be called when a program ends with `status`. Returns kFailed instead of kDone if not all of
// standard output could be written: a full disk or a closed pipe must not look like success. A
// terminal that has hung up does not count.
int FinishOutput(absl::string_view program, int status);

// The exit status for a failed operation: kWrong if its input was wrong, kFailed otherwise.
inline ExitStatus ExitStatusOf(const absl::Status& failure) {
  return absl::IsInvalidArgument(failure) ? kWrong : kFailed;
}

// Parses the command line of `app`, which has the program's name. Returns an exit status if the
// program is to end: after --help or --version, or after an error, which is printed with `hint`
// appended.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv,
                                    absl::string_view hint = "");

}  // namespace twinpath

#endif  // TWINPATH_APPS_PROGRAM_H_
