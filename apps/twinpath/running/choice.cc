// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/running/choice.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apps/command_line.h"
#include "src/control/client.h"

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
      ->check(OneOf(paths));
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

std::vector<std::string> PolicyPaths() { return {"dpdk", "xdp", "socket"}; }

absl::StatusOr<std::string> ChooseWithPolicy(const RunningChoice& choice) {
  const auto prefixes = ChosenPrefixes(choice, PolicyPaths());
  if (!prefixes.ok()) return prefixes.status();
  if (prefixes->size() == 1) return prefixes->front();
  std::vector<std::string> found;
  std::string missing;
  for (const std::string& prefix : *prefixes) {
    const absl::Status served = CheckServed(prefix);
    if (served.ok())
      found.push_back(prefix);
    else if (absl::IsNotFound(served))
      absl::StrAppend(&missing, missing.empty() ? "" : ", ", served.message());
    else
      return served;
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return absl::InvalidArgumentError(absl::StrCat(absl::StrJoin(found, " and "),
                                                   found.size() == 2 ? " both run" : " run",
                                                   ": choose one with --path or --file-prefix"));
  return absl::NotFoundError(absl::StrCat("no Twinpath program runs: ", missing));
}

}  // namespace twinpath
