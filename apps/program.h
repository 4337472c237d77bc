// SPDX-License-Identifier: BSD-3-Clause
// The start and the end of every program: standard descriptors, command line, exit status, and the
// error message. Main thread.

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

// Opens /dev/null for each standard descriptor that is closed, then returns main(argc, argv).
// Without this, the next file or socket would get the number of a closed descriptor, and the
// program would write tables or log lines into it.
int RunMain(absl::string_view program, int argc, char** argv, int (*main)(int, char**));

// Prints `why` to stderr, in a line that starts with `program` ("twinpath check"). After
// PrintErrorsAsJson, also prints {"error": why} to stdout, as one line. Returns `exit_status`.
int PrintError(absl::string_view program, ExitStatus exit_status, absl::string_view why);
inline int PrintError(absl::string_view program, ExitStatus exit_status, const absl::Status& why) {
  return PrintError(program, exit_status, why.message());
}

// The same without the JSON: for an error beside other output on stdout, which is JSON of its own.
int PrintErrorLine(absl::string_view program, ExitStatus exit_status, absl::string_view why);

// For --json.
void PrintErrorsAsJson();

// Flushes standard output at the end of a program, and returns its exit status: `status`, but
// kFailed instead of kDone if not all of the output could be written. A full disk or a closed pipe
// must not look like success. A terminal that has hung up is not an error.
int FinishOutput(absl::string_view program, int status);

// The exit status for a failed operation: kWrong if its input was wrong, kFailed otherwise.
inline ExitStatus ExitStatusOf(const absl::Status& failure) {
  return absl::IsInvalidArgument(failure) ? kWrong : kFailed;
}

// Parses the command line of `app`, which has the program's name. Returns an exit status if the
// program has to end: after --help or --version, or after an error, which it prints.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv);

}  // namespace twinpath

#endif  // TWINPATH_APPS_PROGRAM_H_
