// SPDX-License-Identifier: BSD-3-Clause
// Formats targets, counters and connections as tables for a terminal of 80 to 100 columns.

#include "src/splice/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "src/telemetry/table/cells.h"
#include "src/telemetry/table/text_table.h"

namespace twinpath::splice {
namespace {

using nlohmann::ordered_json;

constexpr size_t kAddressWidth = 47;  // of an IPv6 address with its port

std::string Seconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", seconds);
  return text;
}

std::string Heading(const ordered_json& summary) {
  return "twinpath-splice " + Text(summary, "version", 20) + ", listening on " +
         Text(summary, "listen", kAddressWidth) + ", mode " + Text(summary, "mode", 8) + " (" +
         Text(summary, "why", 100) + "), seed " + std::to_string(Count(summary, "seed")) + ", " +
         Seconds(summary.value("duration_s", 0.0)) + "\n";
}

// The counters of connections. The bytes are in the table of connections.
std::string CountersTable(const ordered_json& totals, size_t width) {
  TextTable table({"accepted", "open", "finished", "reset", "failed", "refused", "idle", "aborted",
                   "chaos refused", "chaos reset"});
  std::vector<TextTable::Cell> row;
  for (const char* name : {"accepted", "open", "finished", "reset", "failed", "refused", "idle",
                           "aborted", "refused_by_chaos", "reset_by_chaos"})
    row.push_back(Count(totals, name));
  table.AddRow(std::move(row));
  return table.Render(width);
}

std::string TargetsTable(const ordered_json& targets, size_t width) {
  TextTable table({"target", "state", "connections", "failures"});
  for (const size_t at : Busiest(targets, "connections"))
    table.AddRow({Text(targets[at], "address", kAddressWidth), Text(targets[at], "state", 12),
                  Count(targets[at], "connections"), Count(targets[at], "failures")});
  return table.Render(width);
}

std::string ConnectionsTable(const ordered_json& summary, size_t width) {
  const ordered_json& connections = summary["connections"];
  const ordered_json& totals = summary["totals"];
  TextTable table(
      {"connection", "client", "target", "mode", "state", "age", "to target", "to client"});
  const std::vector<size_t> shown = Busiest(connections, "to_client_bytes");
  for (const size_t at : shown) {
    const ordered_json& entry = connections[at];
    table.AddRow({TextTable::Right{std::to_string(Count(entry, "number"))},
                  Text(entry, "client", kAddressWidth), Text(entry, "target", kAddressWidth),
                  Text(entry, "mode", 8), Text(entry, "state", 12),
                  TextTable::Right{Seconds(entry.value("age_s", 0.0))},
                  TextTable::Short{Count(entry, "to_target_bytes")},
                  TextTable::Short{Count(entry, "to_client_bytes")}});
  }
  table.AddRow({TextTable::Right{"total"}, "", "", "", "", "",
                TextTable::Short{Count(totals, "to_target_bytes")},
                TextTable::Short{Count(totals, "to_client_bytes")}});
  std::string text = table.Render(width);
  if (shown.size() < connections.size())
    text += "(the busiest " + std::to_string(shown.size()) + " of " +
            std::to_string(connections.size()) + " connections; all of them with --json)\n";
  return text;
}

uint64_t Grown(const ordered_json* before, const ordered_json& now, const char* key) {
  const uint64_t earlier = before ? Count(*before, key) : 0;
  return Count(now, key) - std::min(earlier, Count(now, key));
}

struct Moved {
  const ordered_json* connection;
  uint64_t to_target, to_client;  // bytes since
};

std::vector<Moved> MostMoved(const ordered_json& before, const ordered_json& now) {
  std::map<uint64_t, const ordered_json*> earlier;
  for (const ordered_json& entry : before["connections"]) earlier[Count(entry, "number")] = &entry;
  std::vector<Moved> moved;
  for (const ordered_json& entry : now["connections"]) {
    const auto found = earlier.find(Count(entry, "number"));
    const ordered_json* then = found == earlier.end() ? nullptr : found->second;
    moved.push_back(
        {&entry, Grown(then, entry, "to_target_bytes"), Grown(then, entry, "to_client_bytes")});
  }
  std::stable_sort(moved.begin(), moved.end(), [](const Moved& a, const Moved& b) {
    return a.to_target + a.to_client > b.to_target + b.to_client;
  });
  moved.resize(std::min(moved.size(), kMaxRows));
  return moved;
}

}  // namespace

std::string SummaryTable(const ordered_json& summary, size_t width) {
  return Heading(summary) + "\n" + CountersTable(summary["totals"], width) + "\n" +
         TargetsTable(summary["targets"], width) + "\n" + ConnectionsTable(summary, width);
}

std::string RateTable(const ordered_json& before, const ordered_json& now, size_t width) {
  const double seconds = now.value("duration_s", 0.0) - before.value("duration_s", 0.0);
  if (seconds <= 0) return "";
  const auto bits = [&](uint64_t bytes) {
    return TextTable::Short{
        static_cast<uint64_t>(std::llround(static_cast<double>(bytes) * 8 / seconds))};
  };
  TextTable table({"connection", "client", "target", "state", "bit to target", "bit to client"});
  for (const Moved& moved : MostMoved(before, now))
    table.AddRow({TextTable::Right{std::to_string(Count(*moved.connection, "number"))},
                  Text(*moved.connection, "client", kAddressWidth),
                  Text(*moved.connection, "target", kAddressWidth),
                  Text(*moved.connection, "state", 12), bits(moved.to_target),
                  bits(moved.to_client)});
  table.AddRow({TextTable::Right{"total"}, "", "", "",
                bits(Grown(&before["totals"], now["totals"], "to_target_bytes")),
                bits(Grown(&before["totals"], now["totals"], "to_client_bytes"))});
  return "Per second, " + std::to_string(Grown(&before["totals"], now["totals"], "accepted")) +
         " connections accepted since:\n" + table.Render(width);
}

}  // namespace twinpath::splice
