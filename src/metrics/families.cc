// SPDX-License-Identifier: BSD-3-Clause
// Loops over the lists of counters, so that a new counter is exported without a line here.

#include "src/metrics/families.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"
#include "src/telemetry/fields.h"

namespace twinpath {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<prometheus::ClientMetric::Label>;

// The part of a second that a unit is, and 0 for units that are no times.
double SecondsOf(std::string_view unit) {
  if (unit == "ns") return 1e-9;
  if (unit == "us") return 1e-6;
  if (unit == "ms") return 1e-3;
  return unit == "s" ? 1 : 0;
}

class Families {
 public:
  void Gauge(const std::string& name, const std::string& help, const Labels& labels, double value) {
    Add(name, help, MetricType::Gauge, labels).gauge.value = value;
  }

  // `name` without "_total".
  void Count(const std::string& name, const std::string& help, const Labels& labels, double value) {
    Add(name + "_total", help, MetricType::Counter, labels).counter.value = value;
  }

  void Count(const std::string& name, const std::string& help, const Labels& labels,
             const tp_count& count) {
    Count(name + "_packets", absl::StrCat("Packets ", help), labels,
          static_cast<double>(count.packets));
    Count(name + "_bytes", absl::StrCat("Bytes of packets ", help), labels,
          static_cast<double>(count.bytes));
  }

  // The counters of `row` that `list` names, as PREFIX_NAME. `help` is what follows the counter's.
  template <typename Row, typename List>
  void Counters(const std::string& prefix, const Row& row, const List& list, const Labels& labels,
                const std::string& help = "") {
    for (const auto& counter : list) {
      const std::string words = absl::StrCat(counter.help, help);
      std::visit(
          [&](auto member) {
            if constexpr (std::is_same_v<decltype(member), tp_count Row::*>)
              Count(absl::StrCat(prefix, "_", counter.name), words, labels, row.*member);
            else
              Number(prefix, counter, absl::StrCat(counter.unit, ": ", words), labels,
                     static_cast<double>(row.*member));
          },
          counter.member);
    }
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  // A time loses its unit, and a sum its "total": "total_ms" becomes PREFIX_seconds.
  template <typename Listed>
  void Number(const std::string& prefix, const Listed& counter, const std::string& help,
              const Labels& labels, double value) {
    std::string name = counter.name;
    const double seconds = SecondsOf(counter.unit);
    if (seconds != 0) {
      const std::string suffix = absl::StrCat("_", counter.unit);
      if (absl::EndsWith(name, suffix)) name.resize(name.size() - suffix.size());
      name = name == "total" ? "seconds" : name + "_seconds";
      value *= seconds;
    }
    name = absl::StrCat(prefix, "_", name);
    if (counter.gauge)
      Gauge(name, help, labels, value);
    else
      Count(name, help, labels, value);
  }

  prometheus::ClientMetric& Add(const std::string& name, const std::string& help, MetricType type,
                                const Labels& labels) {
    const auto [at, added] = index_.try_emplace(name, families_.size());
    if (added) {
      MetricFamily family;
      family.name = name;
      family.help = help;
      family.type = type;
      families_.push_back(std::move(family));
    }
    prometheus::ClientMetric& metric = families_[at->second].metric.emplace_back();
    metric.label = labels;
    return metric;
  }

  std::vector<MetricFamily> families_;
  std::unordered_map<std::string, size_t> index_;  // by name, into families_
};

void AddProgram(const Snapshot& snapshot, Families* families) {
  Labels info = {{"path", snapshot.path}, {"version", snapshot.version}};
  if (!snapshot.engine.empty()) info.push_back({"engine", snapshot.engine});
  if (!snapshot.policy_sha256.empty()) {
    info.push_back({"policy", Utf8(snapshot.policy_file)});
    info.push_back({"sha256", snapshot.policy_sha256});
    info.push_back({"seed", std::to_string(snapshot.seed)});
  }
  families->Gauge("twinpath_info", "The program and its policy; always 1", info, 1);
  families->Gauge("twinpath_uptime_seconds", "Time since the start", {}, snapshot.duration_s);
}

void AddPorts(const Snapshot& snapshot, Families* families) {
  for (const PortSnapshot& port : snapshot.ports) {
    const Labels label = {{"port", Utf8(port.name)}};
    families->Gauge("twinpath_port_info", "A port and what drives it; always 1",
                    {label[0],
                     {"device", Utf8(port.device)},
                     {"driver", Utf8(port.driver)},
                     {"mode", port.mode}},
                    1);
    if (!port.link.empty())
      families->Gauge("twinpath_port_up", "1: the link is up; 0: it is down, or the device is gone",
                      label, port.link == "up");
    for (const auto& [name, count] : port.extra)
      families->Count("twinpath_port_" + CounterName(name), "See twinpath-summary(5), ports", label,
                      static_cast<double>(count));
  }
}

void AddQueue(const Snapshot& snapshot, const QueueSnapshot& queue, Families* families) {
  const Labels labels = {{"port", Utf8(queue.port)}, {"queue", std::to_string(queue.queue)}};
  families->Counters("twinpath", queue.counters, kQueueCounters, labels);
  for (const Verdict& verdict : kVerdicts) {
    Labels more = labels;
    more.push_back({"verdict", verdict.name});
    families->Count("twinpath_verdict", "received, by what became of them", more,
                    verdict.verdict == TP_TX ? Transmitted(queue.counters)
                                             : queue.counters.verdict[verdict.verdict]);
  }
  for (size_t to = 0; to < snapshot.ports.size() && to < TP_MAX_PORTS; to++) {
    Labels more = labels;
    more.push_back({"to", Utf8(snapshot.ports[to].name)});
    families->Count("twinpath_tx", "sent, by the port that sent them", more, queue.counters.tx[to]);
  }
  families->Counters("twinpath", queue.extras, kQueueExtras, labels);
}

void AddRules(const Snapshot& snapshot, size_t max_rules, Families* families) {
  if (snapshot.rules.empty()) return;
  RuleSnapshot all = snapshot.reloads.retired;
  for (const RuleSnapshot& rule : snapshot.rules)
    for (const auto& counter : kRuleCounters)
      if (const auto* member = std::get_if<tp_count RuleSnapshot::*>(&counter.member))
        tp_count_sum(&(all.**member), &(rule.**member));
  families->Counters("twinpath_rules", all, kRuleCounters, {}, ", all rules since the start");
  families->Gauge("twinpath_rules", "Rules of the policy, with the default rule", {},
                  static_cast<double>(snapshot.rules.size()));

  std::vector<size_t> shown(snapshot.rules.size());
  std::iota(shown.begin(), shown.end(), 0);
  if (shown.size() > max_rules) {
    std::stable_sort(shown.begin(), shown.end(), [&snapshot](size_t a, size_t b) {
      return snapshot.rules[a].matched.packets > snapshot.rules[b].matched.packets;
    });
    shown.resize(max_rules);
    std::sort(shown.begin(), shown.end());
  }
  for (const size_t at : shown)
    families->Counters("twinpath_rule", snapshot.rules[at], kRuleCounters,
                       {{"rule", Utf8(snapshot.rules[at].name)}});
}

void AddMachine(const Snapshot& snapshot, Families* families) {
  for (const LcoreSnapshot& lcore : snapshot.lcores) {
    const Labels label = {{"lcore", std::to_string(lcore.lcore)}};
    families->Counters("twinpath_lcore", lcore, kLcoreTurns, label);
    families->Counters("twinpath_lcore", lcore, kLcoreSleeps, label);
  }
  for (const MempoolSnapshot& pool : snapshot.mempools)
    families->Counters("twinpath_mempool", pool, kMempoolCounters,
                       {{"node", std::to_string(pool.node)}});
  for (const FaultSnapshot& fault : snapshot.faults) {
    const Labels labels = {{"subject", Utf8(fault.subject)}, {"fault", fault.what}};
    families->Gauge("twinpath_fault_active", "1: the fault has not ended", labels, fault.active);
    families->Counters("twinpath_fault", fault, kFaultCounters, labels);
  }
  if (snapshot.flow_places == 0) return;
  families->Gauge("twinpath_flow_table_places", "Flows that the flow table has room for", {},
                  static_cast<double>(snapshot.flow_places));
  families->Gauge("twinpath_flow_table_bytes", "Size of the flow table", {},
                  static_cast<double>(snapshot.flow_bytes));
}

// Every total is a count, except the number of open connections.
void AddTotals(const Snapshot& snapshot, Families* families) {
  for (const auto& [name, value] : snapshot.sections.totals) {
    const auto* count = std::get_if<uint64_t>(&value);
    if (count == nullptr) continue;
    const std::string metric = absl::StrCat("twinpath_", snapshot.path, "_", CounterName(name));
    const std::string help = "See twinpath-splice(1), COUNTERS";
    if (name == "open")
      families->Gauge(metric, help, {}, static_cast<double>(*count));
    else
      families->Count(metric, help, {}, static_cast<double>(*count));
  }
}

}  // namespace

std::vector<MetricFamily> MetricFamilies(const Snapshot& snapshot, size_t max_rules) {
  if (snapshot.path.empty()) return {};  // the path does not exist yet
  Families families;
  AddProgram(snapshot, &families);
  AddPorts(snapshot, &families);
  for (const QueueSnapshot& queue : snapshot.queues) AddQueue(snapshot, queue, &families);
  AddRules(snapshot, max_rules, &families);
  if (snapshot.sections.about.empty())
    families.Counters("twinpath_reloads", snapshot.reloads, kReloadCounters, {});
  AddMachine(snapshot, &families);
  AddTotals(snapshot, &families);
  return families.Take();
}

}  // namespace twinpath
