// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/running/sources.h"

#include <utility>

#include "src/config/overrides.h"
#include "src/control/client.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

// What a program without a policy file does: see MakePolicy.
constexpr char kPassAll[] = R"({"version": 1})";

RunningSources ReadFields(const ordered_json& answer) {
  RunningSources sources;
  sources.file = answer.at("file").get<std::string>();
  const ordered_json& text = answer.at("text");
  if (!text.is_null()) sources.text = text.get<std::string>();
  const auto read = [&answer](const char* option, std::optional<std::string>* value) {
    const ordered_json& given = answer.at("overrides");
    if (given.contains(option)) *value = given.at(option).get<std::string>();
  };
  read("loss", &sources.overrides.loss);
  read("match", &sources.overrides.match);
  read("forward", &sources.overrides.forward);
  read("seed", &sources.overrides.seed);
  for (const ordered_json& change : answer.at("changes"))
    sources.changes.push_back(
        {change.at("rule").get<std::string>(), change.at("loss").get<std::string>()});
  sources.ports = answer.at("ports").get<std::vector<std::string>>();
  return sources;
}

}  // namespace

absl::StatusOr<RunningSources> ReadRunningSources(const ordered_json& answer) {
  try {
    return ReadFields(answer);
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(std::string("the program's answer: ") + error.what());
  }
}

absl::StatusOr<Policy> BuildPolicy(const RunningSources& sources) {
  absl::StatusOr<Policy> policy =
      sources.text ? MakePolicyOf(*sources.text, sources.file, sources.overrides, sources.ports)
                   : MakePolicy("", sources.overrides, sources.ports);
  for (const RunningSources::Change& change : sources.changes) {
    if (!policy.ok()) break;
    const absl::Status set = SetLoss(change.rule, change.loss, &*policy);
    if (!set.ok()) return set;
  }
  return policy;
}

absl::Status RestorePolicy(const std::string& file_prefix, const RunningSources& sources) {
  const auto loaded =
      SendReload(file_prefix, sources.file, sources.text ? *sources.text : kPassAll);
  if (!loaded.ok()) return loaded.status();
  for (const RunningSources::Change& change : sources.changes) {
    const auto set = SendSetLoss(file_prefix, change.rule, change.loss);
    if (!set.ok()) return set.status();
  }
  return absl::OkStatus();
}

}  // namespace twinpath
