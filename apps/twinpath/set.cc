// SPDX-License-Identifier: BSD-3-Clause
// twinpath set: changes the loss of one rule of a running datapath. Main thread.

#include <iostream>
#include <memory>
#include <string>

#include "apps/twinpath/running/choice.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/describe/describe.h"
#include "src/control/client.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

struct SetOptions {
  std::string rule, loss;
  RunningChoice program;
  bool json = false;
};

int Set(const SetOptions& options) {
  const absl::StatusOr<std::string> prefix = ChooseWithPolicy(options.program);
  const absl::StatusOr<ordered_json> answer = prefix.ok()
                                                  ? SendSetLoss(*prefix, options.rule, options.loss)
                                                  : absl::StatusOr<ordered_json>(prefix.status());
  if (!answer.ok())
    return PrintError("twinpath set", ExitStatusOf(answer.status()), answer.status());
  if (options.json)
    std::cout << answer->dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
  else
    std::cout << *prefix << ": rule " << options.rule << " loses " << PercentOf(options.loss)
              << "\n";
  return kDone;
}

}  // namespace

void AddSet(CLI::App* app, Run* run) {
  auto options = std::make_shared<SetOptions>();
  CLI::App* set = app->add_subcommand(
      "set", "Change the loss of one rule of a running datapath, between two packets");
  set->add_option("--rule", options->rule, "The rule's name; \"default\" is the default rule")
      ->type_name("NAME")
      ->required();
  set->add_option("--loss", options->loss, "The rule's random loss from now on: 5%, 0.05")
      ->type_name("PCT")
      ->required();
  AddRunningChoice(set, PolicyPaths(), &options->program);
  set->add_flag("--json", options->json, "Print JSON");
  set->callback([options, run] { *run = [options] { return Set(*options); }; });
}

}  // namespace twinpath
