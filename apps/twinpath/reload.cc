// SPDX-License-Identifier: BSD-3-Clause
// twinpath reload: replaces the policy of a running datapath without losing a packet. Main thread.

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "apps/twinpath/running/choice.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/json/json_document.h"
#include "src/control/client.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

struct ReloadOptions {
  std::string policy;
  RunningChoice program;
  bool json = false;
};

int Fail(const absl::Status& status) {
  return PrintError("twinpath reload", ExitStatusOf(status), status);
}

// Returns the absolute path of `given`, which SIGHUP reads again. It keeps symbolic links, so that
// a replaced file is found. It removes only ".": if x is a link, "x/.." is not the current folder.
std::string FromAnywhere(const std::filesystem::path& given) {
  std::error_code unknown;
  const std::filesystem::path from = std::filesystem::absolute(given, unknown);
  if (unknown) return given;
  std::filesystem::path file;
  for (const std::filesystem::path& part : from)
    if (part != ".") file /= part;
  return file;
}

int Reload(const ReloadOptions& options) {
  const absl::StatusOr<std::string> prefix = ChooseWithPolicy(options.program);
  if (!prefix.ok()) return Fail(prefix.status());
  const absl::StatusOr<std::string> text = ReadDocument(options.policy);
  if (!text.ok()) return Fail(text.status());
  const auto answer = SendReload(*prefix, FromAnywhere(options.policy), *text);
  if (!answer.ok()) return Fail(answer.status());
  if (options.json) {
    std::cout << answer->dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
    return kDone;
  }
  const auto count = [&](const char* key) { return answer->value(key, uint64_t{0}); };
  std::cout << *prefix << ": loaded " << options.policy << ": " << count("rules")
            << (count("rules") == 1 ? " rule, " : " rules, ") << count("continued")
            << " kept their state\n";
  if (answer->contains("note"))
    std::cout << *prefix << ": note: " << answer->value("note", std::string()) << "\n";
  return kDone;
}

}  // namespace

void AddReload(CLI::App* app, Run* run) {
  auto options = std::make_shared<ReloadOptions>();
  CLI::App* reload = app->add_subcommand(
      "reload", "Replace the policy of a running datapath, between two packets");
  reload->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  AddRunningChoice(reload, PolicyPaths(), &options->program);
  reload->add_flag("--json", options->json, "Print JSON");
  reload->callback([options, run] { *run = [options] { return Reload(*options); }; });
}

}  // namespace twinpath
