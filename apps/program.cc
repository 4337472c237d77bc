// SPDX-License-Identifier: BSD-3-Clause

#include "apps/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "apps/command_line.h"

namespace twinpath {
namespace {

bool errors_as_json = false;

// open() returns the lowest free number, so the missing descriptors are opened in ascending order.
bool OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  return true;
}

}  // namespace

int RunMain(absl::string_view program, int argc, char** argv, int (*main)(int, char**)) {
  if (!OpenStandardDescriptors())
    return PrintError(program, kFailed,
                      "a standard descriptor is closed, and /dev/null cannot be opened for it");
  return main(argc, argv);
}

int PrintError(absl::string_view program, ExitStatus exit_status, absl::string_view why) {
  if (errors_as_json) {
    const nlohmann::json error = {{"error", std::string(why)}};
    std::cout << error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n"
              << std::flush;
  }
  return PrintErrorLine(program, exit_status, why);
}

int PrintErrorLine(absl::string_view program, ExitStatus exit_status, absl::string_view why) {
  std::cerr << absl::StrCat(program, ": ", why,
                            "\n");  // one write, so that readers get whole lines
  return exit_status;
}

void PrintErrorsAsJson() { errors_as_json = true; }

int FinishOutput(absl::string_view program, int status) {
  std::cout.flush();
  if (status != kDone || (std::cout && std::fflush(stdout) == 0)) return status;
  // Writes to a terminal that has hung up fail with EIO. Nobody reads the output there.
  if (isatty(STDOUT_FILENO) == 0 && errno == EIO) return status;
  return PrintErrorLine(program, kFailed, "cannot write the output");
}

std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)  // --help, --version
      return FinishOutput(app.get_name(), app.exit(error));
    const UsageError usage = ExplainUsage(app, error);
    return PrintError(usage.program, kWrong, usage.what);
  }
  return std::nullopt;
}

}  // namespace twinpath
