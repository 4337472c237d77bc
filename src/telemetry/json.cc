// SPDX-License-Identifier: BSD-3-Clause
// The summary. Pure functions.

#include "src/telemetry/json.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "src/policy/count.h"
#include "src/telemetry/fields.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

ordered_json PortJson(const PortSnapshot& port) {
  ordered_json object = {{"name", Utf8(port.name)},     {"device", Utf8(port.device)},
                         {"driver", Utf8(port.driver)}, {"queues", port.queues},
                         {"mode", Utf8(port.mode)},     {"why", Utf8(port.why)}};
  if (!port.link.empty()) object["link"] = port.link;
  if (!port.rss.by.empty()) {
    object["rss"] = {{"by", port.rss.by},
                     {"fields", port.rss.fields},
                     {"key", port.rss.key},
                     {"reta", port.rss.reta}};
  }
  for (const auto& [name, count] : port.extra) object[CounterName(name)] = count;
  return object;
}

ordered_json QueueJson(const Snapshot& snapshot, const QueueSnapshot& queue) {
  ordered_json object = {
      {"port", Utf8(queue.port)}, {"queue", queue.queue}, {CoreField(snapshot.path), queue.core}};
  AddQueueCounters(queue.counters, &object);
  AddCounters(queue.extras, kQueueExtras, &object);
  ordered_json& tx_to = object["tx_to"] = ordered_json::object();
  for (size_t port = 0; port < TP_MAX_PORTS; ++port) {
    const uint64_t packets = queue.counters.tx[port].packets;
    if (packets == 0) continue;
    tx_to[port < snapshot.ports.size() ? Utf8(snapshot.ports[port].name) : std::to_string(port)] =
        packets;
  }
  return object;
}

ordered_json RuleJson(const RuleSnapshot& rule) {
  const auto [low, high] = LossRateBounds(rule.lost.packets, rule.matched.packets);
  ordered_json object = {{"name", Utf8(rule.name)}};
  AddCounters(rule, kRuleCounters, &object);
  object["loss_rate"] = LossRate(rule);
  object["loss_rate_low"] = low;
  object["loss_rate_high"] = high;
  return object;
}

ordered_json FaultJson(const FaultSnapshot& fault) {
  ordered_json object = {
      {"subject", Utf8(fault.subject)}, {"fault", fault.what}, {"active", fault.active}};
  AddCounters(fault, kFaultCounters, &object);
  return object;
}

ordered_json ValueJson(const SectionValue& value) {
  if (const auto* number = std::get_if<uint64_t>(&value)) return *number;
  if (const auto* seconds = std::get_if<double>(&value)) return std::round(*seconds * 1e6) / 1e6;
  return Utf8(std::get<std::string>(value));
}

ordered_json RowJson(const SectionRow& row) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : row) object[name] = ValueJson(value);
  return object;
}

ordered_json SectionsJson(const Snapshot& snapshot) {
  ordered_json summary = {{"path", snapshot.path},
                          {"version", snapshot.version},
                          {"seed", snapshot.seed},
                          {"duration_s", std::round(snapshot.duration_s * 1e6) / 1e6}};
  summary.update(RowJson(snapshot.sections.about));
  summary["totals"] = RowJson(snapshot.sections.totals);
  for (const SectionList& list : snapshot.sections.lists) {
    ordered_json& rows = summary[list.name] = ordered_json::array();
    for (const SectionRow& row : list.rows) rows.push_back(RowJson(row));
  }
  return summary;
}

tp_queue_counters Totals(const Snapshot& snapshot) {
  tp_queue_counters totals = {};
  for (const QueueSnapshot& queue : snapshot.queues) {
    tp_count_sum(&totals.rx, &queue.counters.rx);
    for (int i = 0; i < TP_VERDICTS; ++i)
      tp_count_sum(&totals.verdict[i], &queue.counters.verdict[i]);
    for (int i = 0; i < TP_MAX_PORTS; ++i) tp_count_sum(&totals.tx[i], &queue.counters.tx[i]);
  }
  return totals;
}

}  // namespace

uint64_t Number(const ordered_json& object, const std::string& key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_number_unsigned() ? value->get<uint64_t>() : 0;
}

void AddQueueCounters(const tp_queue_counters& counters, ordered_json* object) {
  AddCounters(counters, kQueueCounters, object);
  for (const Verdict& verdict : kVerdicts) {
    const std::string name = verdict.name;
    const tp_count count =
        verdict.verdict == TP_TX ? Transmitted(counters) : counters.verdict[verdict.verdict];
    (*object)[name + "_packets"] = count.packets;
    (*object)[name + "_bytes"] = count.bytes;
  }
}

void AddReloads(const ReloadSnapshot& reloads, ordered_json* object) {
  AddCounters(reloads, kReloadCounters, object);
  AddCounters(reloads.retired, kRuleCounters, object, "retired_");
}

const char* CoreField(std::string_view path) {
  return path == "dpdk" || path == "splice" ? "lcore" : "cpu";
}

// Otherwise dumping a document could fail, because JSON is UTF-8.
std::string Utf8(const std::string& bytes) {
  return ordered_json::parse(
             ordered_json(bytes).dump(-1, ' ', false, ordered_json::error_handler_t::replace))
      .get<std::string>();
}

std::string CounterName(std::string_view name) {
  std::string key(name);
  for (char& c : key)
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  return key;
}

double LossRate(const RuleSnapshot& rule) {
  if (rule.matched.packets == 0) return 0;
  return static_cast<double>(rule.lost.packets) / static_cast<double>(rule.matched.packets);
}

std::pair<double, double> LossRateBounds(uint64_t lost, uint64_t matched) {
  if (matched == 0) return {0, 1};
  lost = std::min(lost, matched);
  constexpr double kZ = 1.959963984540054;  // the normal distribution's 97.5 % quantile
  const double n = static_cast<double>(matched);
  const double rate = static_cast<double>(lost) / n;
  const double scale = 1 + kZ * kZ / n;
  const double centre = (rate + kZ * kZ / (2 * n)) / scale;
  const double half = kZ / scale * std::sqrt(rate * (1 - rate) / n + kZ * kZ / (4 * n * n));
  // The bounds 0 and 1 are exact; rounding must not change them.
  return {lost == 0 ? 0 : std::max(0.0, centre - half),
          lost == matched ? 1 : std::min(1.0, centre + half)};
}

ordered_json SummaryJson(const Snapshot& snapshot) {
  if (!snapshot.sections.about.empty()) return SectionsJson(snapshot);
  ordered_json summary = {{"path", snapshot.path}};
  if (!snapshot.engine.empty()) summary["engine"] = snapshot.engine;
  summary.update(
      {{"version", snapshot.version},
       {"seed", snapshot.seed},
       {"policy", {{"file", Utf8(snapshot.policy_file)}, {"sha256", snapshot.policy_sha256}}},
       {"duration_s", std::round(snapshot.duration_s * 1e6) / 1e6}});
  if (snapshot.flow_places != 0)
    summary["flow_table"] = {{"places", snapshot.flow_places}, {"bytes", snapshot.flow_bytes}};
  ordered_json& ports = summary["ports"] = ordered_json::array();
  for (const PortSnapshot& port : snapshot.ports) ports.push_back(PortJson(port));
  ordered_json& queues = summary["queues"] = ordered_json::array();
  for (const QueueSnapshot& queue : snapshot.queues) queues.push_back(QueueJson(snapshot, queue));
  ordered_json& rules = summary["rules"] = ordered_json::array();
  for (const RuleSnapshot& rule : snapshot.rules) rules.push_back(RuleJson(rule));
  AddQueueCounters(Totals(snapshot), &(summary["totals"] = ordered_json::object()));
  AddReloads(snapshot.reloads, &(summary["reloads"] = ordered_json::object()));
  for (const MempoolSnapshot& mempool : snapshot.mempools) {
    ordered_json object = {{"node", mempool.node}};
    AddCounters(mempool, kMempoolCounters, &object);
    summary["mempools"].push_back(std::move(object));
  }
  ordered_json& faults = summary["faults"] = ordered_json::array();
  for (const FaultSnapshot& fault : snapshot.faults) faults.push_back(FaultJson(fault));
  return summary;
}

}  // namespace twinpath
