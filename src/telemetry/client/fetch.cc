// SPDX-License-Identifier: BSD-3-Clause
// Rebuilds a snapshot from telemetry answers. The answers are not trusted: the server may be
// another program or another version. One thread.

#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/telemetry/client/client.h"
#include "src/telemetry/fields.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr int kAttempts = 3;  // of reading a list that changes meanwhile

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecode(const std::string& text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// Returns the text under NAME, joined with NAME_2, NAME_3, ... if the text is long.
std::string Text(const ordered_json& object, const std::string& name) {
  std::string text;
  std::string key = name;
  for (int part = 2; object.contains(key) && object[key].is_string(); ++part) {
    text += object[key].get<std::string>();
    key = absl::StrCat(name, "_", part);
  }
  return PercentDecode(text);
}

tp_count CountOf(const ordered_json& object, const std::string& name) {
  return {Number(object, name + "_packets"), Number(object, name + "_bytes")};
}

// Reads all pages of a list and calls `add` with each entry, in order. Aborted if the list changed
// between two pages. Sets *taken_us to the time of the first page since the run's start, in
// microseconds.
absl::Status FetchList(TelemetryClient* client, const std::string& command,
                       const std::string& parameter_before_first,
                       const std::function<void(const ordered_json&)>& add, uint64_t* taken_us) {
  std::optional<uint64_t> total;
  uint64_t next = 0;
  do {
    absl::StatusOr<ordered_json> page =
        client->Ask(absl::StrCat(command, ",", parameter_before_first, next));
    if (!page.ok()) return page.status();
    if (!total) {
      total = Number(*page, "total");
      *taken_us = Number(*page, "duration_us");
    }
    // librte_telemetry 22.11 may swap the parameters of two clients that ask at the same time.
    if (Number(*page, "total") != *total || Number(*page, "first") != next)
      return absl::AbortedError(absl::StrCat(command, " changed while it was read"));
    const uint64_t end = page->contains("next") ? Number(*page, "next") : *total;
    if (end < next || (end == next && next < *total) || end > *total)
      return absl::DataLossError(absl::StrCat(command, ": a page with a wrong \"next\""));
    for (; next < end; ++next) {
      const auto entry = page->find(std::to_string(next));
      if (entry == page->end() || !entry->is_object())
        return absl::DataLossError(absl::StrCat(command, ": entry ", next, " is missing"));
      add(*entry);
    }
  } while (next < *total);
  return absl::OkStatus();
}

PortSnapshot ReadPort(const ordered_json& entry) {
  PortSnapshot port = {.name = Text(entry, "name"),
                       .device = Text(entry, "device"),
                       .driver = Text(entry, "driver"),
                       .mode = Text(entry, "mode"),
                       .why = Text(entry, "why"),
                       .queues = static_cast<uint32_t>(Number(entry, "queues"))};
  port.rss = {.by = Text(entry, "rss_by"),
              .fields = Text(entry, "rss_fields"),
              .key = Text(entry, "rss_key"),
              .reta = Text(entry, "rss_reta")};
  port.link = Text(entry, "link");
  for (const auto& [key, value] : entry.items())
    if (value.is_number_unsigned() && key != "queues")
      port.extra.emplace_back(key, value.get<uint64_t>());
  return port;
}

QueueSnapshot ReadQueue(const ordered_json& entry, const std::string& core) {
  QueueSnapshot queue = {.port = Text(entry, "port"),
                         .queue = static_cast<uint32_t>(Number(entry, "queue"))};
  const auto served_by = entry.find(core);
  if (served_by != entry.end() && served_by->is_number_integer())
    queue.core = served_by->get<int32_t>();
  ReadCounters(entry, kQueueCounters, &queue.counters);
  for (const Verdict& verdict : kVerdicts)  // TP_TX is the sum over ports
    if (verdict.verdict != TP_TX)
      queue.counters.verdict[verdict.verdict] = CountOf(entry, verdict.name);
  for (int port = 0; port < TP_MAX_PORTS; ++port)
    queue.counters.tx[port] = CountOf(entry, absl::StrCat("tx_to_", port));
  ReadCounters(entry, kQueueExtras, &queue.extras);
  return queue;
}

RuleSnapshot ReadRule(const ordered_json& entry) {
  RuleSnapshot rule = {.name = Text(entry, "name")};
  ReadCounters(entry, kRuleCounters, &rule);
  return rule;
}

LcoreSnapshot ReadLcore(const ordered_json& entry, const std::string& core) {
  LcoreSnapshot lcore = {.lcore = static_cast<uint32_t>(Number(entry, core)),
                         .queues = static_cast<uint32_t>(Number(entry, "queues")),
                         .idle = Text(entry, "idle")};
  ReadCounters(entry, kLcoreTurns, &lcore);
  ReadCounters(entry, kLcoreSleeps, &lcore);
  return lcore;
}

FaultSnapshot ReadFault(const ordered_json& entry) {
  FaultSnapshot fault = {.subject = Text(entry, "subject"),
                         .what = Text(entry, "fault"),
                         .active = Number(entry, "active") != 0};
  ReadCounters(entry, kFaultCounters, &fault);
  return fault;
}

// Whether `name` is the second or a later part of a long text: NAME_2.
bool ContinuesText(const ordered_json& object, const std::string& name) {
  const size_t line = name.rfind('_');
  if (line == std::string::npos || line + 1 == name.size()) return false;
  if (name.find_first_not_of("0123456789", line + 1) != std::string::npos) return false;
  const auto start = object.find(name.substr(0, line));
  return start != object.end() && start->is_string();
}

// Reverses AddRow of answer.cc.
SectionRow ReadRow(const ordered_json& object) {
  SectionRow row;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string() && !ContinuesText(object, name))
      row.emplace_back(name, Text(object, name));
    else if (value.is_number_unsigned() && absl::EndsWith(name, "_us"))
      row.emplace_back(name.substr(0, name.size() - 2) + "s",
                       static_cast<double>(value.get<uint64_t>()) / 1e6);
    else if (value.is_number_unsigned())
      row.emplace_back(name, value.get<uint64_t>());
  }
  return row;
}

// Rows may come and go between two pages, so neither "total" nor the keys are checked.
absl::Status FetchRows(TelemetryClient* client, SectionList* list) {
  const std::string command = "/twinpath/" + list->name;
  uint64_t next = 0;
  for (;;) {
    absl::StatusOr<ordered_json> page = client->Ask(absl::StrCat(command, ",", next));
    if (!page.ok()) return page.status();
    for (const auto& [key, entry] : page->items())
      if (entry.is_object()) list->rows.push_back(ReadRow(entry));
    if (!page->contains("next")) return absl::OkStatus();
    const uint64_t following = Number(*page, "next");
    if (following <= next)
      return absl::DataLossError(absl::StrCat(command, ": a page with a wrong \"next\""));
    next = following;
  }
}

absl::Status FetchSections(TelemetryClient* client, const SectionNames& names, Snapshot* snapshot) {
  absl::StatusOr<ordered_json> answer = client->Ask("/twinpath/" + names.path);
  if (!answer.ok()) return answer.status();
  snapshot->duration_s = static_cast<double>(Number(*answer, "duration_us")) / 1e6;
  SectionRow* row = &snapshot->sections.about;  // after the duration come the totals
  for (auto& field : ReadRow(*answer)) {
    if (field.first == "duration_s")
      row = &snapshot->sections.totals;
    else
      row->push_back(std::move(field));
  }
  for (const std::string& name : names.lists) {
    snapshot->sections.lists.push_back({.name = name});
    absl::Status status = FetchRows(client, &snapshot->sections.lists.back());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

ReloadSnapshot ReadReloads(const ordered_json& info) {
  const auto found = info.find("reloads");
  if (found == info.end() || !found->is_object()) return {};
  ReloadSnapshot reloads;
  ReadCounters(*found, kReloadCounters, &reloads);
  ReadCounters(*found, kRuleCounters, &reloads.retired, "retired_");
  return reloads;
}

// "mempool_0_mbufs", "mempool_0_free_mbufs"
void ReadMempools(const ordered_json& info, Snapshot* snapshot) {
  const std::string prefix = "mempool_", mbufs = "_mbufs", free = "_free_mbufs";
  for (const auto& [key, value] : info.items()) {
    if (!absl::StartsWith(key, prefix) || absl::EndsWith(key, free)) continue;
    const std::string node = key.substr(prefix.size(), key.size() - prefix.size() - mbufs.size());
    MempoolSnapshot mempool = {.node = std::atoi(node.c_str())};
    ReadCounters(info, kMempoolCounters, &mempool, prefix + node + "_");
    snapshot->mempools.push_back(mempool);
  }
}

absl::StatusOr<Snapshot> FetchOnce(TelemetryClient* client,
                                   const std::vector<SectionNames>& sections) {
  absl::StatusOr<ordered_json> info = client->Ask("/twinpath/info");
  if (absl::IsNotFound(info.status()))
    return absl::FailedPreconditionError(
        absl::StrCat("the program at ", client->path(), " is not a twinpath program"));
  if (!info.ok()) return info.status();
  Snapshot snapshot = {.path = Text(*info, "path"),
                       .engine = Text(*info, "engine"),
                       .version = Text(*info, "version"),
                       .seed = Number(*info, "seed"),
                       .policy_file = Text(*info, "policy_file"),
                       .policy_sha256 = Text(*info, "policy_sha256")};
  snapshot.reloads = ReadReloads(*info);
  snapshot.flow_places = Number(*info, "flow_places");
  ReadMempools(*info, &snapshot);
  snapshot.flow_bytes = Number(*info, "flow_bytes");
  if (snapshot.path.empty())
    return absl::UnavailableError(
        absl::StrCat("the program at ", client->path(), " has no running datapath"));
  for (const SectionNames& names : sections) {
    if (names.path != snapshot.path) continue;
    absl::Status status = FetchSections(client, names, &snapshot);
    if (!status.ok()) return status;
    return snapshot;
  }
  const std::string core = CoreField(snapshot.path);
  uint64_t duration_us = 0, ignored = 0;
  struct List {
    const char* command;
    const char* before_first;  // parameters before FIRST
    uint64_t* taken_us;
    std::function<void(const ordered_json&)> add;
  };
  const std::array<List, 5> lists = {
      List{"/twinpath/ports", "", &ignored,
           [&](const ordered_json& entry) { snapshot.ports.push_back(ReadPort(entry)); }},
      // Rates are computed from the queues' counters, so the duration is taken with the queues.
      List{"/twinpath/queues", ",", &duration_us,
           [&](const ordered_json& entry) { snapshot.queues.push_back(ReadQueue(entry, core)); }},
      List{"/twinpath/rules", "", &ignored,
           [&](const ordered_json& entry) { snapshot.rules.push_back(ReadRule(entry)); }},
      List{"/twinpath/lcores", "", &ignored,
           [&](const ordered_json& entry) { snapshot.lcores.push_back(ReadLcore(entry, core)); }},
      List{"/twinpath/faults", "", &ignored,
           [&](const ordered_json& entry) { snapshot.faults.push_back(ReadFault(entry)); }}};
  for (const List& list : lists) {
    absl::Status status =
        FetchList(client, list.command, list.before_first, list.add, list.taken_us);
    if (!status.ok()) return status;
  }
  snapshot.duration_s = static_cast<double>(duration_us) / 1e6;
  absl::StatusOr<ordered_json> after = client->Ask("/twinpath/info");
  if (!after.ok()) return after.status();
  if (ReadReloads(*after).done != snapshot.reloads.done)
    return absl::AbortedError("the policy was replaced while it was read");
  return snapshot;
}

}  // namespace

absl::StatusOr<Snapshot> FetchSnapshot(TelemetryClient* client,
                                       const std::vector<SectionNames>& sections) {
  absl::StatusOr<Snapshot> snapshot = FetchOnce(client, sections);
  for (int tries = 1; tries < kAttempts && absl::IsAborted(snapshot.status()); ++tries)
    snapshot = FetchOnce(client, sections);
  return snapshot;
}

}  // namespace twinpath
