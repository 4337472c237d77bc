// SPDX-License-Identifier: BSD-3-Clause

#include "apps/program.h"

#include <iostream>

#include "absl/strings/str_cat.h"

namespace twinpath {

int Say(absl::string_view program, ExitStatus exit_status, absl::string_view why) {
  std::cerr << absl::StrCat(program, ": ", why, "\n");  // in one piece, for who reads lines
  return exit_status;
}

std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv,
                                    absl::string_view hint) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return Say(app.get_name(), kWrong, absl::StrCat(error.what(), hint));
  }
  return std::nullopt;
}

}  // namespace twinpath
