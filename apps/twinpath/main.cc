// SPDX-License-Identifier: BSD-3-Clause
// twinpath: everything that is not a datapath, one subcommand each. Main thread.

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "apps/twinpath/subcommand.h"

namespace twinpath {
namespace {

// In the order of --help. Each is declared in subcommand.h.
constexpr AddSubcommand* kSubcommands[] = {AddCheck, AddExplain, AddParity, AddReload,
                                           AddStats, AddTop,     AddDoctor};

int WrongUsage(const std::string& what) {
  std::cerr << "twinpath: " << what << " (twinpath --help tells what there is)\n";
  return 2;
}

int Main(int argc, char** argv) {
  CLI::App app("One packet policy, two fast paths, the same verdict", "twinpath");
  app.set_version_flag("--version", "twinpath " TWINPATH_VERSION);
  app.require_subcommand(0, 1);  // none is told below, after what is not expected
  Run run;
  for (AddSubcommand* add : kSubcommands) add(&app, &run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return WrongUsage(e.what());
  }
  return run ? run() : WrongUsage("A subcommand is required");
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
