// SPDX-License-Identifier: BSD-3-Clause

#include "apps/program.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace twinpath {

int Say(absl::string_view program, ExitStatus exit_status, absl::string_view why) {
  std::cerr << absl::StrCat(program, ": ", why, "\n");  // in one piece, for who reads lines
  return exit_status;
}

int Ended(absl::string_view program, int status) {
  std::cout.flush();
  if (status != kDone || (std::cout && std::fflush(stdout) == 0)) return status;
  // tty(4): that is what a terminal answers after its hangup.
  if (isatty(STDOUT_FILENO) == 0 && errno == EIO) return status;
  return Say(program, kFailed, "cannot write the output");
}

std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv,
                                    absl::string_view hint) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)  // --help, --version
      return Ended(app.get_name(), app.exit(error));
    return Say(app.get_name(), kWrong, absl::StrCat(error.what(), hint));
  }
  return std::nullopt;
}

}  // namespace twinpath
