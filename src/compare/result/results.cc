// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/result/results.h"

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Json KeyJson(const CaseKey& key, uint32_t repetition) {
  return {
      {"engine", key.engine}, {"size", key.size}, {"loss", key.loss}, {"repetition", repetition}};
}

CaseKey KeyOf(const Json& json) { return {json.at("engine"), json.at("size"), json.at("loss")}; }

Json TrialJson(const Trial& t) {
  Json json = KeyJson(t.key, t.repetition);
  json["purpose"] = t.purpose;
  json["asked_pps"] = t.asked;
  json["load"] = t.load;
  json["seconds"] = t.seconds;
  json["sent_packets"] = t.counts.sent;
  json["received_packets"] = t.counts.received;
  json["policy_packets"] = t.counts.policy;
  for (size_t i = 0; i < kDropPlaces.size(); i++)
    json[absl::StrCat(kDropPlaces[i].key, "_packets")] = t.counts.drops[i];
  json["unexplained_packets"] = t.counts.unexplained();
  json["matched_packets"] = t.matched;
  json["lost_packets"] = t.lost;
  json["lost_asked"] = t.lost_asked;
  json["cpu_user_s"] = t.cpu.user;
  json["cpu_system_s"] = t.cpu.system;
  json["cpu_softirq_s"] = t.cpu.softirq;
  json["cpu_steal_s"] = t.cpu.steal;
  json["cpu_s_per_million"] = t.cpu_per_million();
  json["context_switches"] = t.cpu.context_switches;
  if (t.latency) {
    json["latency_p50_ns"] = t.latency->p50;
    json["latency_p99_ns"] = t.latency->p99;
    json["latency_p999_ns"] = t.latency->p999;
    json["latency_max_ns"] = t.latency->most;
  }
  json["noise"] = t.noise;
  json["repeated"] = t.repeated;
  return json;
}

Trial TrialOf(const Json& json) {
  Trial t;
  t.key = KeyOf(json);
  t.repetition = json.at("repetition");
  t.purpose = json.at("purpose");
  t.asked = json.at("asked_pps");
  t.load = json.at("load");
  t.seconds = json.at("seconds");
  t.counts.sent = json.at("sent_packets");
  t.counts.received = json.at("received_packets");
  t.counts.policy = json.at("policy_packets");
  for (size_t i = 0; i < kDropPlaces.size(); i++)
    t.counts.drops[i] = json.at(absl::StrCat(kDropPlaces[i].key, "_packets"));
  t.matched = json.at("matched_packets");
  t.lost = json.at("lost_packets");
  t.lost_asked = json.at("lost_asked");
  t.cpu.user = json.at("cpu_user_s");
  t.cpu.system = json.at("cpu_system_s");
  t.cpu.softirq = json.at("cpu_softirq_s");
  t.cpu.steal = json.at("cpu_steal_s");
  t.cpu.context_switches = json.at("context_switches");
  if (json.contains("latency_p50_ns"))
    t.latency = LatencyResult{json.at("latency_p50_ns"), json.at("latency_p99_ns"),
                              json.at("latency_p999_ns"), json.at("latency_max_ns")};
  t.noise = json.at("noise");
  t.repeated = json.at("repeated");
  return t;
}

Json ThroughputJson(const Throughput& throughput) {
  Json json = KeyJson(throughput.key, throughput.repetition);
  json["pps"] = throughput.rate;
  json["generator_limited"] = throughput.generator_limited;
  return json;
}

Json EngineJson(const EngineRow& row) {
  return {{"name", row.name}, {"title", row.title}, {"yardstick", row.yardstick},
          {"why", row.why},   {"needs", row.needs}, {"commands", row.commands}};
}

Results ResultsOf(const Json& json) {
  Results r;
  r.version = json.at("version");
  r.started = json.at("started");
  r.duration = json.at("duration_s");
  r.complete = json.at("complete");
  for (const auto& [name, value] : json.at("machine").items()) r.machine.emplace_back(name, value);
  const Json& policy = json.at("policy");
  r.policy = {policy.at("file"), policy.at("sha256"), policy.at("text")};
  r.settings = json.at("settings");
  r.notes = json.at("notes").get<std::vector<std::string>>();
  const Json& same = json.at("sameness");
  r.sameness = {same.at("frames"), same.at("different"),
                same.at("engines").get<std::vector<std::string>>(), same.at("command"),
                same.at("problem")};
  for (const Json& row : json.at("engines"))
    r.engines.push_back({row.at("name"), row.at("title"), row.at("yardstick"), row.at("why"),
                         row.at("needs"), row.at("commands").get<std::vector<std::string>>()});
  for (const Json& trial : json.at("trials")) r.trials.push_back(TrialOf(trial));
  for (const Json& row : json.at("throughputs"))
    r.throughputs.push_back(
        {KeyOf(row), row.at("repetition"), row.at("pps"), row.at("generator_limited")});
  return r;
}

}  // namespace

double Trial::cpu_per_million() const {
  const uint64_t handled = counts.received + counts.policy;
  return handled ? 1e6 * cpu.total() / static_cast<double>(handled) : 0;
}

Json ResultsJson(const Results& r) {
  Json json = {{"format", kFormat},
               {"program", "twinpath compare"},
               {"version", r.version},
               {"started", r.started},
               {"duration_s", r.duration},
               {"complete", r.complete},
               {"machine", Json::object()},
               {"policy", Json::object()},
               {"settings", r.settings},
               {"notes", r.notes},
               {"sameness", Json::object()},
               {"engines", Json::array()},
               {"throughputs", Json::array()},
               {"trials", Json::array()}};
  for (const auto& [name, value] : r.machine) json["machine"][name] = value;
  json["policy"] = {{"file", r.policy.file}, {"sha256", r.policy.sha256}, {"text", r.policy.text}};
  json["sameness"] = {{"frames", r.sameness.frames},
                      {"different", r.sameness.different},
                      {"engines", r.sameness.engines},
                      {"command", r.sameness.command},
                      {"problem", r.sameness.problem}};
  for (const EngineRow& row : r.engines) json["engines"].push_back(EngineJson(row));
  for (const Throughput& row : r.throughputs) json["throughputs"].push_back(ThroughputJson(row));
  for (const Trial& trial : r.trials) json["trials"].push_back(TrialJson(trial));
  return json;
}

absl::StatusOr<Results> ParseResults(const std::string& text, const std::string& name) {
  const auto wrong = [&name](const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is not a result of twinpath compare: ", why));
  };
  try {
    const Json json = Json::parse(text);
    if (!json.is_object() || json.value("program", "") != "twinpath compare")
      return wrong("it has no \"program\": \"twinpath compare\"");
    if (json.value("format", 0) != kFormat)
      return wrong(absl::StrCat("its format is not ", kFormat));
    return ResultsOf(json);
  } catch (const nlohmann::json::exception& e) {
    return wrong(e.what());
  }
}

}  // namespace twinpath
