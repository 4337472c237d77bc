// SPDX-License-Identifier: BSD-3-Clause
// The summary document. Pure functions on the caller's thread.

#include "src/telemetry/json.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "src/telemetry/fields.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

// Names and paths are bytes a person chose; JSON holds UTF-8 only. What is not UTF-8 becomes
// U+FFFD, so that dumping the document cannot fail.
std::string Utf8(const std::string& bytes) {
  return ordered_json::parse(
             ordered_json(bytes).dump(-1, ' ', false, ordered_json::error_handler_t::replace))
      .get<std::string>();
}

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
  AddCounters(queue.counters, &object);
  AddExtras(queue.extras, &object);
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
  return {{"name", Utf8(rule.name)},
          {"matched_packets", rule.matched.packets},
          {"matched_bytes", rule.matched.bytes},
          {"lost_packets", rule.lost.packets},
          {"lost_bytes", rule.lost.bytes},
          {"marked_packets", rule.marked.packets},
          {"marked_bytes", rule.marked.bytes},
          {"loss_rate", LossRate(rule)},
          {"loss_rate_low", low},
          {"loss_rate_high", high}};
}

ordered_json SpliceJson(const Snapshot& snapshot) {
  const SpliceSnapshot& splice = snapshot.splice;
  ordered_json summary = {{"path", snapshot.path},
                          {"version", snapshot.version},
                          {"seed", snapshot.seed},
                          {"duration_s", std::round(snapshot.duration_s * 1e6) / 1e6},
                          {"listen", splice.listen},
                          {"mode", splice.mode},
                          {"why", splice.why},
                          {"workers", splice.workers},
                          {"max_connections", splice.max_connections}};
  ordered_json& totals = summary["totals"] = ordered_json::object();
  for (const auto& [name, count] : splice.counters) totals[CounterName(name)] = count;
  ordered_json& targets = summary["targets"] = ordered_json::array();
  for (const TargetSnapshot& target : splice.targets)
    targets.push_back({{"address", target.address},
                       {"state", target.state},
                       {"connections", target.connections},
                       {"failures", target.failures}});
  ordered_json& connections = summary["connections"] = ordered_json::array();
  for (const ConnectionSnapshot& connection : splice.connections)
    connections.push_back({{"number", connection.number},
                           {"client", connection.client},
                           {"target", connection.target},
                           {"mode", connection.mode},
                           {"state", connection.state},
                           {"age_s", std::round(connection.age_s * 1e6) / 1e6},
                           {"to_target_bytes", connection.to_target_bytes},
                           {"to_client_bytes", connection.to_client_bytes}});
  return summary;
}

tp_queue_counters Totals(const Snapshot& snapshot) {
  tp_queue_counters totals = {};
  const auto add = [](tp_count* sum, const tp_count& count) {
    sum->packets += count.packets;
    sum->bytes += count.bytes;
  };
  for (const QueueSnapshot& queue : snapshot.queues) {
    add(&totals.rx, queue.counters.rx);
    for (int i = 0; i < TP_VERDICTS; ++i) add(&totals.verdict[i], queue.counters.verdict[i]);
    for (int i = 0; i < TP_MAX_PORTS; ++i) add(&totals.tx[i], queue.counters.tx[i]);
  }
  return totals;
}

}  // namespace

void AddCounters(const tp_queue_counters& counters, ordered_json* object) {
  (*object)["rx_packets"] = counters.rx.packets;
  (*object)["rx_bytes"] = counters.rx.bytes;
  for (int verdict = 0; verdict < TP_VERDICTS; ++verdict) {
    const tp_count count = verdict == TP_TX ? Transmitted(counters) : counters.verdict[verdict];
    const std::string name = kVerdictNames[verdict];
    (*object)[name + "_packets"] = count.packets;
    (*object)[name + "_bytes"] = count.bytes;
  }
}

void AddExtras(const tp_queue_extras& extras, ordered_json* object) {
  (*object)["marked_packets"] = extras.marked.packets;
  (*object)["marked_bytes"] = extras.marked.bytes;
  (*object)["flows_added"] = extras.flows_added;
  (*object)["flows_evicted"] = extras.flows_evicted;
}

void AddReloads(const ReloadSnapshot& reloads, ordered_json* object) {
  const RuleSnapshot& retired = reloads.retired;
  *object = {{"done", reloads.done},
             {"rejected", reloads.rejected},
             {"longest_switch_ns", reloads.longest_switch_ns},
             {"retired_matched_packets", retired.matched.packets},
             {"retired_matched_bytes", retired.matched.bytes},
             {"retired_lost_packets", retired.lost.packets},
             {"retired_lost_bytes", retired.lost.bytes},
             {"retired_marked_packets", retired.marked.packets},
             {"retired_marked_bytes", retired.marked.bytes}};
}

const char* CoreField(std::string_view path) { return path == "xdp" ? "cpu" : "lcore"; }

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
  // At the ends the interval's own end is exact; rounding must not move it.
  return {lost == 0 ? 0 : std::max(0.0, centre - half),
          lost == matched ? 1 : std::min(1.0, centre + half)};
}

ordered_json SummaryJson(const Snapshot& snapshot) {
  if (snapshot.path == "splice") return SpliceJson(snapshot);
  ordered_json summary = {
      {"path", snapshot.path},
      {"version", snapshot.version},
      {"seed", snapshot.seed},
      {"policy", {{"file", Utf8(snapshot.policy_file)}, {"sha256", snapshot.policy_sha256}}},
      {"duration_s", std::round(snapshot.duration_s * 1e6) / 1e6}};
  if (snapshot.flow_places != 0)
    summary["flow_table"] = {{"places", snapshot.flow_places}, {"bytes", snapshot.flow_octets}};
  ordered_json& ports = summary["ports"] = ordered_json::array();
  for (const PortSnapshot& port : snapshot.ports) ports.push_back(PortJson(port));
  ordered_json& queues = summary["queues"] = ordered_json::array();
  for (const QueueSnapshot& queue : snapshot.queues) queues.push_back(QueueJson(snapshot, queue));
  ordered_json& rules = summary["rules"] = ordered_json::array();
  for (const RuleSnapshot& rule : snapshot.rules) rules.push_back(RuleJson(rule));
  AddCounters(Totals(snapshot), &(summary["totals"] = ordered_json::object()));
  AddReloads(snapshot.reloads, &(summary["reloads"] = ordered_json::object()));
  for (const MempoolSnapshot& mempool : snapshot.mempools)
    summary["mempools"].push_back(
        {{"node", mempool.node}, {"mbufs", mempool.mbufs}, {"free_mbufs", mempool.free}});
  ordered_json& faults = summary["faults"] = ordered_json::array();
  for (const FaultSnapshot& fault : snapshot.faults)
    faults.push_back({{"subject", Utf8(fault.subject)},
                      {"fault", fault.what},
                      {"active", fault.active},
                      {"times", fault.times},
                      {"last_ms", fault.last_ms},
                      {"total_ms", fault.total_ms}});
  return summary;
}

}  // namespace twinpath
