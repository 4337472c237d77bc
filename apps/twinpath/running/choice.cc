// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/running/choice.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace twinpath {
namespace {

std::string PrefixOf(const std::string& path) { return "twinpath-" + path; }

}  // namespace

void AddRunningChoice(CLI::App* subcommand, const std::vector<std::string>& paths,
                      RunningChoice* choice) {
  subcommand
      ->add_option("-f,--file-prefix", choice->file_prefix,
                   absl::StrCat("The program's file prefix (default: twinpath-",
                                absl::StrJoin(paths, ", -"), ", whichever runs)"))
      ->option_text("PREFIX");
  subcommand
      ->add_option(
          "--path", choice->path,
          absl::StrCat("The program with the default prefix: ", absl::StrJoin(paths, ", ")))
      ->option_text("PATH")
      ->check(CLI::IsMember(paths));
}

absl::StatusOr<std::vector<std::string>> ChosenPrefixes(const RunningChoice& choice,
                                                        const std::vector<std::string>& paths) {
  if (!choice.file_prefix.empty() && !choice.path.empty())
    return absl::InvalidArgumentError("--path and --file-prefix are mutually exclusive");
  if (!choice.file_prefix.empty()) return std::vector<std::string>{choice.file_prefix};
  if (!choice.path.empty()) return std::vector<std::string>{PrefixOf(choice.path)};
  std::vector<std::string> prefixes;
  for (const std::string& path : paths) prefixes.push_back(PrefixOf(path));
  return prefixes;
}

}  // namespace twinpath
