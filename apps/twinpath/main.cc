// SPDX-License-Identifier: BSD-3-Clause
// twinpath: everything that is not a datapath, one subcommand each. Main thread.

#include <cstdio>
#include <exception>
#include <initializer_list>
#include <iostream>

#include "apps/twinpath/subcommand.h"

namespace twinpath {

namespace {

// In the order of --help. Each is declared in subcommand.h.
const std::initializer_list<AddSubcommand*> kSubcommands = {};

int Main(int argc, char** argv) {
  CLI::App app("One packet policy, two fast paths, the same verdict", "twinpath");
  app.set_version_flag("--version", "twinpath " TWINPATH_VERSION);
  app.require_subcommand(1);
  Run run;
  for (AddSubcommand* add : kSubcommands) add(&app, &run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    std::cerr << "twinpath: " << e.what() << " (twinpath --help tells what there is)\n";
    return 2;
  }
  return run();
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  int status;
  try {
    status = twinpath::Main(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "twinpath: " << e.what() << "\n";
    return 1;
  }
  std::cout.flush();
  // A full disk or a closed pipe must not look like success.
  if (status == 0 && (!std::cout || std::fflush(stdout) != 0)) {
    std::cerr << "twinpath: cannot write the output\n";
    return 1;
  }
  return status;
}
