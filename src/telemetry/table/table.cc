// SPDX-License-Identifier: BSD-3-Clause
// The summary as tables for a terminal of 80 to 100 columns. Pure functions.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "src/telemetry/fields.h"
#include "src/telemetry/json.h"
#include "src/telemetry/table/cells.h"
#include "src/telemetry/table/text_table.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr int kDigits = 5;            // of a percentage
constexpr size_t kMinNameWidth = 12;  // of a rule on a narrow terminal
constexpr char kRemovedRules[] = "(replaced by reloads)";

std::string Heading(const ordered_json& summary) {
  const ordered_json& policy = summary["policy"];
  char duration[32];
  std::snprintf(duration, sizeof(duration), "%.1f s", summary.value("duration_s", 0.0));
  const std::string file = Text(policy, "file", 60);
  const ordered_json reloads = summary.value("reloads", ordered_json::object());
  std::string replaced;
  for (const char* what : {"done", "rejected"})
    if (const uint64_t count = reloads.value(what, uint64_t{0}); count != 0)
      replaced += ", " + std::to_string(count) +
                  (what != std::string_view("done") ? " rejected"
                   : count == 1                     ? " reload"
                                                    : " reloads");
  return "twinpath-" + Text(summary, "path", 8) + " " + Text(summary, "version", 20) + ", policy " +
         (file.empty() ? "of the command line" : file) + ", seed " +
         std::to_string(Count(summary, "seed")) + ", " + duration + replaced + "\n";
}

// A port's counters outside the conservation law that are not 0.
std::string Extras(const ordered_json& port) {
  static constexpr std::array kFixed = {"name", "device", "driver", "queues",
                                        "mode", "why",    "rss",    "link"};
  std::string extras;
  for (const auto& [key, value] : port.items()) {
    if (std::find(kFixed.begin(), kFixed.end(), key) != kFixed.end() || value == 0) continue;
    extras += (extras.empty() ? "" : ", ") + key + " " + value.dump();
  }
  return extras;
}

// "spread over 2 queues by device: ip+tcp+udp, key symmetric"; empty with one queue.
std::string Spread(const ordered_json& port) {
  const auto rss = port.find("rss");
  if (rss == port.end() || rss->value("by", "none") == "none") return "";
  std::string text = "spread over " + std::to_string(Count(port, "queues")) + " queues by " +
                     Text(*rss, "by", 16) + ": " + Text(*rss, "fields", 32);
  const std::string key = Text(*rss, "key", 24);
  return key.empty() ? text : text + ", key " + key;
}

std::string PortsTable(const ordered_json& ports, size_t width) {
  TextTable table({"port", "device", "driver", "mode", "queues"});
  std::string notes;
  for (const ordered_json& port : ports) {
    table.AddRow({Text(port, "name", kNameWidth), Text(port, "device", 40),
                  Text(port, "driver", 20), Text(port, "mode", 16), Count(port, "queues")});
    const std::string name = Text(port, "name", kNameWidth);
    const std::string why = FitText(port.value("why", std::string()), 400);
    const std::string extras = Extras(port);
    if (!why.empty()) notes += "  " + name + ": " + why + "\n";
    if (const std::string spread = Spread(port); !spread.empty())
      notes += "  " + name + ": " + spread + "\n";
    if (!extras.empty()) notes += "  " + name + ": " + extras + "\n";
  }
  return table.Render(width) + notes;
}

// "! port lan: link_down for 3.2 s (2 times)" for each active fault, and then
// "  port lan: link_down is over (2 times, 6.4 s)" for each past one.
std::string Faults(const ordered_json& faults) {
  std::string now, before;
  for (const ordered_json& fault : faults) {
    const std::string subject = Text(fault, "subject", 48), what = Text(fault, "fault", 24);
    const std::string times =
        std::to_string(Count(fault, "times")) + (Count(fault, "times") == 1 ? " time" : " times");
    char seconds[32];
    const bool active = fault.value("active", false);
    std::snprintf(seconds, sizeof(seconds), "%.1f s",
                  static_cast<double>(Count(fault, active ? "last_ms" : "total_ms")) / 1e3);
    if (active)
      now += "! " + subject + ": " + what + " for " + seconds + " (" + times + ")\n";
    else
      before += "  " + subject + ": " + what + " is over (" + times + ", " + seconds + ")\n";
  }
  return now.empty() && before.empty() ? "" : now + before + "\n";
}

std::vector<TextTable::Cell> QueueRow(const std::string& port, const std::string& queue,
                                      const std::string& core, const ordered_json& counters) {
  std::vector<TextTable::Cell> row = {port, TextTable::Right{queue}, TextTable::Right{core},
                                      Count(counters, "rx_packets")};
  for (const Verdict& verdict : kVerdicts)
    row.push_back(Count(counters, std::string(verdict.name) + "_packets"));
  return row;
}

// "  all queues: flows_added 11", a line for each counter beside the verdicts that is not 0.
std::string QueueExtras(const ordered_json& queues) {
  const tp_queue_extras names = {};
  std::string text;
  ForEachNumber(names, kQueueExtras, [&](const std::string& name, const auto&) {
    uint64_t sum = 0;
    for (const ordered_json& queue : queues) sum += Count(queue, name);
    if (sum != 0) text += "  all queues: " + name + " " + std::to_string(sum) + "\n";
  });
  return text;
}

std::string QueuesTable(const ordered_json& summary, size_t width) {
  const char* core = CoreField(summary.value("path", std::string()));
  const ordered_json& queues = summary["queues"];
  std::vector<std::string> headings = {"port", "queue", core, "rx"};
  for (const Verdict& verdict : kVerdicts) headings.push_back(verdict.name);
  TextTable table(headings);
  const std::vector<size_t> shown = Busiest(queues, "rx_packets");
  for (const size_t at : shown) {
    const ordered_json& queue = queues[at];
    const int64_t served_by = queue.value(core, int64_t{-1});
    table.AddRow(QueueRow(Text(queue, "port", kNameWidth), std::to_string(Count(queue, "queue")),
                          served_by < 0 ? "-" : std::to_string(served_by), queue));
  }
  table.AddRow(QueueRow("total", "", "", summary["totals"]));
  std::string text = table.Render(width) + QueueExtras(queues);
  if (shown.size() < queues.size())
    text += "(the busiest " + std::to_string(shown.size()) + " of " +
            std::to_string(queues.size()) + " queues; all of them with --json)\n";
  return text;
}

// The name and the counts of a rule. The keys of the counts begin with `prefix`.
std::vector<TextTable::Cell> RuleCounts(const ordered_json& rule, const std::string& name,
                                        const std::string& prefix) {
  std::vector<TextTable::Cell> row = {name};
  for (const char* what : {"matched", "lost", "to_send", "to_pass", "denied"})
    row.emplace_back(Count(rule, prefix + what + "_packets"));
  return row;
}

// The rules `shown`, and the sum of the rules that reloads removed or restarted, if they took
// packets. Names have at most `name_width` characters.
TextTable RuleRows(const ordered_json& summary, const std::vector<size_t>& shown,
                   size_t name_width) {
  TextTable table(
      {"rule", "matched", "lost", "to send", "to pass", "denied", "loss", "95 % low", "95 % high"});
  for (const size_t at : shown) {
    const ordered_json& rule = summary["rules"][at];
    const bool known = Count(rule, "matched_packets") != 0;
    const auto rate = [&](const char* key) {
      return TextTable::Right{known ? PercentText(rule.value(key, 0.0), kDigits) : "-"};
    };
    std::vector<TextTable::Cell> row = RuleCounts(rule, Text(rule, "name", name_width), "");
    for (const char* key : {"loss_rate", "loss_rate_low", "loss_rate_high"})
      row.push_back(rate(key));
    table.AddRow(row);
  }
  const ordered_json reloads = summary.value("reloads", ordered_json::object());
  if (Count(reloads, "retired_matched_packets") != 0) {
    // The rules had different rates, so that the rate of their sum means nothing.
    std::vector<TextTable::Cell> row =
        RuleCounts(reloads, FitText(kRemovedRules, name_width), "retired_");
    row.insert(row.end(), 3, TextTable::Right{"-"});
    table.AddRow(row);
  }
  return table;
}

std::string RulesTable(const ordered_json& summary, size_t width) {
  const ordered_json& rules = summary["rules"];
  const std::vector<size_t> shown = Busiest(rules, "matched_packets");
  std::string text = RuleRows(summary, shown, kNameWidth).Render(width);
  // All lines are as wide as the first one, or narrower.
  const size_t taken = TextWidth(text.substr(0, text.find('\n')));
  if (taken > width) {
    const size_t narrow = kNameWidth - std::min(taken - width, kNameWidth - kMinNameWidth);
    text = RuleRows(summary, shown, narrow).Render(width);
  }
  if (shown.size() < rules.size())
    text += "(the busiest " + std::to_string(shown.size()) + " of " + std::to_string(rules.size()) +
            " rules; all of them with --json)\n";
  return text;
}

std::vector<TextTable::Cell> RateRow(const std::string& port, const std::string& queue,
                                     const ordered_json& before, const ordered_json& now,
                                     double seconds) {
  const auto rate = [&](const std::string& key, double scale) {
    const uint64_t earlier = std::min(Count(before, key), Count(now, key));
    const double grown = static_cast<double>(Count(now, key) - earlier);
    return TextTable::Short{static_cast<uint64_t>(std::llround(grown * scale / seconds))};
  };
  std::vector<TextTable::Cell> row = {port, TextTable::Right{queue}, rate("rx_bytes", 8),
                                      rate("rx_packets", 1)};
  for (const Verdict& verdict : kVerdicts)
    row.push_back(rate(std::string(verdict.name) + "_packets", 1));
  return row;
}

}  // namespace

std::string RateTable(const ordered_json& before, const ordered_json& now, size_t width) {
  const double seconds = now.value("duration_s", 0.0) - before.value("duration_s", 0.0);
  const ordered_json& queues = now["queues"];
  if (seconds <= 0 || before["queues"].size() != queues.size()) return "";
  std::vector<std::string> headings = {"port", "queue", "rx bit", "rx"};
  for (const Verdict& verdict : kVerdicts) headings.push_back(verdict.name);
  TextTable table(headings);
  for (const size_t at : Busiest(queues, "rx_packets"))
    table.AddRow(RateRow(Text(queues[at], "port", kNameWidth),
                         std::to_string(Count(queues[at], "queue")), before["queues"][at],
                         queues[at], seconds));
  table.AddRow(RateRow("total", "", before["totals"], now["totals"], seconds));
  return "Per second:\n" + table.Render(width);
}

std::string SummaryTable(const ordered_json& summary, size_t width) {
  return Heading(summary) + "\n" + Faults(summary.value("faults", ordered_json::array())) +
         PortsTable(summary["ports"], width) + "\n" + QueuesTable(summary, width) + "\n" +
         RulesTable(summary, width);
}

}  // namespace twinpath
