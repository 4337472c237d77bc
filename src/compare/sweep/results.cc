// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/results.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSweepFormat = 1;
constexpr char kSweepProgram[] = "twinpath sweep";

Json ValuesJson(const SweepResults& r, const Combination& combination) {
  Json values = Json::object();
  for (size_t i = 0; i < combination.size(); i++)
    values[r.parameters[i].pointer] = r.parameters[i].values[combination[i]];
  return values;
}

Json EstimateJson(const Estimate& e) {
  if (e.count == 0) return nullptr;
  return {{"median", e.median},
          {"low", e.low},
          {"high", e.high},
          {"level", e.level},
          {"count", e.count}};
}

Json RunJson(const SweepResults& r, const SweepRun& run) {
  Json json = {{"set", ValuesJson(r, run.combination)},
               {"repetition", run.repetition},
               {"exit_status", run.exit_status ? Json(*run.exit_status) : Json()},
               {"duration_s", run.seconds},
               {"results", Json::object()},
               {"problem", run.problem}};
  for (size_t i = 0; i < r.results.size(); i++) json["results"][r.results[i].name] = run.values[i];
  return json;
}

Json RowJson(const SweepResults& r, const SweepRow& row) {
  Json json = {{"set", ValuesJson(r, row.combination)},
               {"runs", row.runs},
               {"failed", row.failed},
               {"results", Json::object()},
               {"duration_s", EstimateJson(row.seconds)}};
  for (size_t i = 0; i < r.results.size(); i++)
    json["results"][r.results[i].name] = EstimateJson(row.results[i]);
  return json;
}

SweepRun RunOf(const SweepResults& r, const Json& json) {
  SweepRun run;
  for (const SweepParameter& parameter : r.parameters) {
    const auto& values = parameter.values;
    const auto at = std::find(values.begin(), values.end(), json.at("set").at(parameter.pointer));
    run.combination.push_back(static_cast<size_t>(at - values.begin()));
    if (at == values.end())  // throws what the caller catches
      (void)Json::object().at("a value of the run that \"set\" does not list");
  }
  run.repetition = json.at("repetition");
  if (!json.at("exit_status").is_null()) run.exit_status = json.at("exit_status").get<int>();
  run.seconds = json.at("duration_s");
  for (const SweepResult& result : r.results)
    run.values.push_back(json.at("results").at(result.name));
  run.problem = json.at("problem");
  return run;
}

SweepResults SweepOf(const Json& json) {
  SweepResults r;
  r.version = json.at("version");
  r.started = json.at("started");
  r.duration = json.at("duration_s");
  r.complete = json.at("complete");
  for (const auto& item : json.at("machine").items())
    r.machine.emplace_back(item.key(), item.value().get<std::string>());
  const Json& policy = json.at("policy");
  r.policy = {policy.at("file"), policy.at("sha256"), policy.at("text")};
  r.command = json.at("command").get<std::vector<std::string>>();
  for (const Json& set : json.at("set"))
    r.parameters.push_back({set.at("pointer"), set.at("given").get<std::vector<std::string>>(),
                            set.at("values").get<std::vector<Json>>()});
  for (const Json& get : json.at("get")) r.results.push_back({get.at("name"), get.at("pointer")});
  r.repetitions = json.at("repetitions");
  r.notes = json.at("notes").get<std::vector<std::string>>();
  for (const Json& run : json.at("runs")) r.runs.push_back(RunOf(r, run));
  return r;
}

SweepRow RowOf(const SweepResults& r, const Combination& combination,
               const std::vector<const SweepRun*>& runs) {
  SweepRow row;
  row.combination = combination;
  row.runs = runs.size();
  std::vector<double> seconds;
  for (const SweepRun* run : runs) {
    if (!run->problem.empty() && row.failed++ == 0) row.problem = run->problem;
    if (run->exit_status) seconds.push_back(run->seconds);
  }
  row.seconds = MedianOf(std::move(seconds));
  for (size_t i = 0; i < r.results.size(); i++) {
    std::vector<double> numbers;
    std::set<std::string> words;
    for (const SweepRun* run : runs) {
      const Json& value = run->values[i];
      if (value.is_number())
        numbers.push_back(value.get<double>());
      else if (!value.is_null())
        words.insert(value.is_string() ? value.get<std::string>() : value.dump());
    }
    row.results.push_back(MedianOf(std::move(numbers)));
    row.words.push_back(words.size() == 1 ? *words.begin() : words.empty() ? "" : "differs");
  }
  return row;
}

}  // namespace

Json SweepJson(const SweepResults& r) {
  Json json = {
      {"format", kSweepFormat},
      {"program", kSweepProgram},
      {"version", r.version},
      {"started", r.started},
      {"duration_s", r.duration},
      {"complete", r.complete},
      {"machine", Json::object()},
      {"policy", {{"file", r.policy.file}, {"sha256", r.policy.sha256}, {"text", r.policy.text}}},
      {"command", r.command},
      {"set", Json::array()},
      {"get", Json::array()},
      {"repetitions", r.repetitions},
      {"notes", r.notes},
      {"summary", Json::array()},
      {"runs", Json::array()}};
  for (const auto& [name, value] : r.machine) json["machine"][name] = value;
  for (const SweepParameter& set : r.parameters)
    json["set"].push_back({{"pointer", set.pointer}, {"given", set.texts}, {"values", set.values}});
  for (const SweepResult& get : r.results)
    json["get"].push_back({{"name", get.name}, {"pointer", get.pointer}});
  for (const SweepRow& row : SummarizeSweep(r)) json["summary"].push_back(RowJson(r, row));
  for (const SweepRun& run : r.runs) json["runs"].push_back(RunJson(r, run));
  return json;
}

absl::StatusOr<SweepResults> ParseSweep(std::string_view text, const std::string& file) {
  const auto wrong = [&file](const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, " is not a result of twinpath sweep: ", why));
  };
  try {
    const Json json = Json::parse(text.begin(), text.end());
    if (!json.is_object() || json.value("program", "") != kSweepProgram)
      return wrong("it has no \"program\": \"twinpath sweep\"");
    if (json.value("format", 0) != kSweepFormat)
      return wrong(absl::StrCat("its format is not ", kSweepFormat));
    return SweepOf(json);
  } catch (const nlohmann::json::exception& e) {
    return wrong(e.what());
  }
}

bool SameSweep(const SweepResults& a, const SweepResults& b) {
  const auto same_set = [](const SweepParameter& x, const SweepParameter& y) {
    return x.pointer == y.pointer && x.texts == y.texts && x.values == y.values;
  };
  const auto same_get = [](const SweepResult& x, const SweepResult& y) {
    return x.name == y.name && x.pointer == y.pointer;
  };
  return a.policy.sha256 == b.policy.sha256 && a.command == b.command &&
         std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(),
                    b.parameters.end(), same_set) &&
         std::equal(a.results.begin(), a.results.end(), b.results.begin(), b.results.end(),
                    same_get);
}

std::vector<SweepStep> SweepSchedule(const SweepResults& results) {
  const std::vector<Combination> all = Combinations(results.parameters);
  std::set<std::pair<Combination, uint32_t>> done;
  for (const SweepRun& run : results.runs) done.emplace(run.combination, run.repetition);
  std::vector<SweepStep> steps;
  for (uint32_t repetition = 0; repetition < results.repetitions; repetition++)
    for (size_t i = 0; i < all.size(); i++) {
      const Combination& combination = all[(i + repetition) % all.size()];
      if (!done.count({combination, repetition})) steps.push_back({combination, repetition});
    }
  return steps;
}

std::vector<SweepRow> SummarizeSweep(const SweepResults& results) {
  std::vector<SweepRow> rows;
  std::map<Combination, std::vector<const SweepRun*>> runs;  // ordered as Combinations()
  for (const SweepRun& run : results.runs) runs[run.combination].push_back(&run);
  for (const auto& [combination, of] : runs) rows.push_back(RowOf(results, combination, of));
  return rows;
}

}  // namespace twinpath
