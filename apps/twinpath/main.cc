// SPDX-License-Identifier: BSD-3-Clause
// twinpath: the tools other than the datapaths, each as a subcommand. Main thread.

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apps/command_line.h"
#include "apps/program.h"
#include "apps/twinpath/subcommand.h"

namespace twinpath {
namespace {

// In the order of --help. Each is declared in subcommand.h.
constexpr AddSubcommand* kSubcommands[] = {AddCheck,    AddExplain, AddParity,  AddReload,
                                           AddSet,      AddStats,   AddTop,     AddDoctor,
                                           AddGenerate, AddReceive, AddCompare, AddSweep};

constexpr std::string_view kJson = "--json";

std::vector<std::string>* MutableCommandWords() {
  static auto* const words = new std::vector<std::string>();
  return words;
}

// Takes the words of a sweep's command. Returns how many words are before them.
int TakeCommandWords(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) != "sweep") return argc;
  int own = 2;
  while (own < argc && std::string(argv[own]) != "--") own++;
  for (int i = own + 1; i < argc; i++) MutableCommandWords()->push_back(argv[i]);
  return own;
}

int Main(int argc, char** argv) {
  CLI::App app("One packet policy, two fast paths, the same verdict", "twinpath");
  app.set_version_flag("--version", "twinpath " TWINPATH_VERSION);
  app.require_subcommand(0, 1);  // 0 is an error below; an unexpected word is reported first
  const int own = TakeCommandWords(argc, argv);
  // Before the command line is parsed, because errors in it are JSON, too.
  if (std::any_of(argv, argv + own, [](const char* word) { return word == kJson; }))
    PrintErrorsAsJson();
  Run run;
  for (AddSubcommand* add : kSubcommands) add(&app, &run);
  if (const std::optional<int> ended = ParseCommandLine(app, own, argv)) return *ended;
  if (!run)
    return PrintError(
        "twinpath", kWrong,
        absl::StrCat("a subcommand is required: ", absl::StrJoin(Subcommands(app), ", "),
                     " (see twinpath --help)"));
  return run();
}

int CatchingMain(int argc, char** argv) {
  int status;
  try {
    status = Main(argc, argv);
  } catch (const std::exception& e) {
    return PrintError("twinpath", kFailed, e.what());
  }
  return FinishOutput("twinpath", status);
}

}  // namespace

const std::vector<std::string>& CommandWords() { return *MutableCommandWords(); }

}  // namespace twinpath

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath", argc, argv, twinpath::CatchingMain);
}
