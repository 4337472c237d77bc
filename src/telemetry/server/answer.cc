// SPDX-License-Identifier: BSD-3-Clause
// The telemetry commands. Pure functions; each telemetry client's thread may run them at once.
//
// librte_telemetry 22.11 determines the shape of the answers, on both paths:
// - Lists are objects keyed by the position in the list, with "total" (the list's length), "first"
//   (the first position in this answer), "duration_us" (the time since the run's start, for rates)
//   and, if more remains, "next" (the FIRST to ask for).
// - There are no fractions: rates are in parts per billion (_ppb), durations in microseconds (_us).
// - Text is percent-encoded (RFC 3986, section 2.1) where it is not printable ASCII, or '%' itself:
//   librte_telemetry's JSON writer damages other bytes. Text of more than 120 bytes continues under
//   NAME_2, NAME_3, ...: an entry holds at most 127. Text of more than 3,000 bytes ends in "...",
//   so that one entry always fits.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>

#include "src/telemetry/fields.h"
#include "src/telemetry/json.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr size_t kTextBytes = 120;      // of a value; longer text continues in the next value
constexpr size_t kMaxTextBytes = 3000;  // of a whole text: two of them leave room in an answer
constexpr size_t kMaxEntries = 250;     // librte_telemetry holds 256 in one object

std::string PercentEncode(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

void AddText(const std::string& name, const std::string& text, ordered_json* object) {
  std::string encoded = PercentEncode(text);
  if (encoded.size() > kMaxTextBytes) encoded = encoded.substr(0, kMaxTextBytes - 3) + "...";
  (*object)[name] = encoded.substr(0, kTextBytes);
  for (size_t part = 2, at = kTextBytes; at < encoded.size(); ++part, at += kTextBytes)
    (*object)[name + "_" + std::to_string(part)] = encoded.substr(at, kTextBytes);
}

uint64_t PartsPerBillion(double fraction) {
  return static_cast<uint64_t>(std::llround(fraction * 1e9));
}

uint64_t DurationUs(const Snapshot& snapshot) {
  return static_cast<uint64_t>(std::llround(snapshot.duration_s * 1e6));
}

ordered_json Error(const std::string& text) {
  ordered_json error;
  AddText("error", text, &error);
  return error;
}

std::optional<size_t> ParseNumber(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A page of entries from index `at` to `end`, each under key(index), as many as fit. "next" is the
// key of the first entry that does not fit.
ordered_json PageFrom(const Snapshot& snapshot, std::string_view command, uint64_t first, size_t at,
                      size_t end, const std::function<uint64_t(size_t)>& key,
                      const std::function<ordered_json(size_t)>& entry) {
  ordered_json page = {{"total", end}, {"first", first}, {"duration_us", DurationUs(snapshot)}};
  // 48 bytes are enough for the enclosing object, "next" and its number.
  size_t size = page.dump().size() + command.size() + 48;
  for (const size_t start = at; at < end; ++at) {
    const std::string name = std::to_string(key(at));
    ordered_json value = entry(at);
    const size_t grown = size + name.size() + 4 + value.dump().size();
    if (at > start && (grown > kAnswerBytes || at - start == kMaxEntries)) {
      page["next"] = key(at);
      break;
    }
    size = grown;
    page[name] = std::move(value);
  }
  return page;
}

// A page of a list of `total` entries that starts at `parameter` (empty: 0), as many as fit.
ordered_json Page(const Snapshot& snapshot, std::string_view command, std::string_view parameter,
                  size_t total, const std::function<ordered_json(size_t)>& entry) {
  size_t first = 0;
  if (!parameter.empty()) {
    const std::optional<size_t> number = ParseNumber(parameter);
    if (!number || *number > total)
      return Error("FIRST: found \"" + std::string(parameter.substr(0, 64)) + "\", allowed 0 to " +
                   std::to_string(total));
    first = *number;
  }
  const auto key = [](size_t at) { return at; };
  return PageFrom(snapshot, command, first, first, total, key, entry);
}

ordered_json InfoAnswer(const Snapshot& snapshot, std::string_view parameters) {
  if (!parameters.empty()) return Error("/twinpath/info takes no parameters");
  ordered_json info;
  AddText("path", snapshot.path, &info);
  if (!snapshot.engine.empty()) AddText("engine", snapshot.engine, &info);
  AddText("version", snapshot.version, &info);
  info["seed"] = snapshot.seed;
  AddText("policy_file", snapshot.policy_file, &info);
  AddText("policy_sha256", snapshot.policy_sha256, &info);
  info["duration_us"] = DurationUs(snapshot);
  info["ports"] = snapshot.ports.size();
  info["queues"] = snapshot.queues.size();
  info["rules"] = snapshot.rules.size();
  info["lcores"] = snapshot.lcores.size();
  info["faults"] = snapshot.faults.size();
  info["faults_active"] =
      static_cast<uint64_t>(std::count_if(snapshot.faults.begin(), snapshot.faults.end(),
                                          [](const FaultSnapshot& fault) { return fault.active; }));
  AddReloads(snapshot.reloads, &(info["reloads"] = ordered_json::object()));
  for (const MempoolSnapshot& mempool : snapshot.mempools) {
    AddCounters(mempool, kMempoolCounters, &info, "mempool_" + std::to_string(mempool.node) + "_");
  }
  if (snapshot.flow_places != 0) {
    info["flow_places"] = snapshot.flow_places;
    info["flow_bytes"] = snapshot.flow_bytes;
  }
  return info;
}

// The cores that serve a port's queues, in the order of the queues: "1,2,1,2".
std::string QueueCores(const Snapshot& snapshot, const PortSnapshot& port) {
  std::string cores;
  for (const QueueSnapshot& queue : snapshot.queues) {
    if (queue.port != port.name) continue;
    if (!cores.empty()) cores += ',';
    cores += std::to_string(queue.core);
  }
  return cores;
}

// How a port's frames are spread over its queues, and which core serves each queue.
void AddSpread(const Snapshot& snapshot, const PortSnapshot& port, ordered_json* entry) {
  if (port.rss.by.empty()) return;
  AddText("rss_by", port.rss.by, entry);
  AddText("rss_fields", port.rss.fields, entry);
  AddText("rss_key", port.rss.key, entry);
  AddText("rss_reta", port.rss.reta, entry);
  AddText(std::string("queue_") + CoreField(snapshot.path) + "s", QueueCores(snapshot, port),
          entry);
}

ordered_json PortsAnswer(const Snapshot& snapshot, std::string_view parameters) {
  return Page(snapshot, "/twinpath/ports", parameters, snapshot.ports.size(), [&](size_t at) {
    const PortSnapshot& port = snapshot.ports[at];
    ordered_json entry;
    AddText("name", port.name, &entry);
    AddText("device", port.device, &entry);
    AddText("driver", port.driver, &entry);
    AddText("mode", port.mode, &entry);
    AddText("why", port.why, &entry);
    if (!port.link.empty()) AddText("link", port.link, &entry);
    entry["queues"] = port.queues;
    AddSpread(snapshot, port, &entry);
    for (const auto& [name, count] : port.extra) entry[CounterName(name)] = count;
    return entry;
  });
}

ordered_json QueueEntry(const Snapshot& snapshot, const QueueSnapshot& queue) {
  ordered_json entry;
  AddText("port", queue.port, &entry);
  entry["queue"] = queue.queue;
  entry[CoreField(snapshot.path)] = queue.core;
  AddQueueCounters(queue.counters, &entry);
  AddCounters(queue.extras, kQueueExtras, &entry);
  // Keyed by the out port's position in /twinpath/ports: a port's name is not a valid key.
  for (size_t port = 0; port < TP_MAX_PORTS; ++port) {
    const tp_count& tx = queue.counters.tx[port];
    if (tx.packets == 0) continue;
    entry["tx_to_" + std::to_string(port) + "_packets"] = tx.packets;
    entry["tx_to_" + std::to_string(port) + "_bytes"] = tx.bytes;
  }
  return entry;
}

ordered_json QueuesAnswer(const Snapshot& snapshot, std::string_view parameters) {
  const size_t comma = parameters.find(',');
  const std::string_view port = parameters.substr(0, comma);
  const std::string_view first =
      comma == std::string_view::npos ? std::string_view() : parameters.substr(comma + 1);
  std::vector<const QueueSnapshot*> queues;
  for (const QueueSnapshot& queue : snapshot.queues)
    if (port.empty() || queue.port == port) queues.push_back(&queue);
  if (queues.empty() && !port.empty()) {
    std::string allowed;
    for (const PortSnapshot& known : snapshot.ports)
      allowed += (allowed.empty() ? "" : ", ") + known.name;
    return Error("PORT: found \"" + std::string(port.substr(0, 64)) +
                 "\", allowed nothing (all ports) or one of " + allowed);
  }
  return Page(snapshot, "/twinpath/queues", first, queues.size(),
              [&](size_t at) { return QueueEntry(snapshot, *queues[at]); });
}

ordered_json RulesAnswer(const Snapshot& snapshot, std::string_view parameters) {
  return Page(snapshot, "/twinpath/rules", parameters, snapshot.rules.size(), [&](size_t at) {
    const RuleSnapshot& rule = snapshot.rules[at];
    const auto [low, high] = LossRateBounds(rule.lost.packets, rule.matched.packets);
    ordered_json entry;
    AddText("name", rule.name, &entry);
    AddCounters(rule, kRuleCounters, &entry);
    entry["loss_rate_ppb"] = PartsPerBillion(LossRate(rule));
    entry["loss_rate_low_ppb"] = PartsPerBillion(low);
    entry["loss_rate_high_ppb"] = PartsPerBillion(high);
    return entry;
  });
}

ordered_json LcoresAnswer(const Snapshot& snapshot, std::string_view parameters) {
  return Page(snapshot, "/twinpath/lcores", parameters, snapshot.lcores.size(), [&](size_t at) {
    const LcoreSnapshot& lcore = snapshot.lcores[at];
    ordered_json entry = {{CoreField(snapshot.path), lcore.lcore}, {"queues", lcore.queues}};
    AddCounters(lcore, kLcoreTurns, &entry);
    AddText("idle", lcore.idle, &entry);
    AddCounters(lcore, kLcoreSleeps, &entry);
    return entry;
  });
}

ordered_json FaultsAnswer(const Snapshot& snapshot, std::string_view parameters) {
  return Page(snapshot, "/twinpath/faults", parameters, snapshot.faults.size(), [&](size_t at) {
    const FaultSnapshot& fault = snapshot.faults[at];
    ordered_json entry;
    AddText("subject", fault.subject, &entry);
    AddText("fault", fault.what, &entry);
    entry["active"] = fault.active ? 1u : 0u;
    AddCounters(fault, kFaultCounters, &entry);
    return entry;
  });
}

// Adds the values of `row`. librte_telemetry has no fractions: seconds become microseconds, and
// NAME_s becomes NAME_us.
void AddRow(const SectionRow& row, ordered_json* object) {
  for (const auto& [name, value] : row) {
    if (const auto* number = std::get_if<uint64_t>(&value))
      (*object)[name] = *number;
    else if (const auto* seconds = std::get_if<double>(&value))
      (*object)[name.substr(0, name.size() - 1) + "us"] =
          static_cast<uint64_t>(std::llround(*seconds * 1e6));
    else
      AddText(name, std::get<std::string>(value), object);
  }
}

// The numbers by which the rows of `list` are paged.
std::vector<uint64_t> RowKeys(const SectionList& list) {
  std::vector<uint64_t> keys;
  for (const SectionRow& row : list.rows)
    for (const auto& [name, value] : row)
      if (name == list.key) keys.push_back(std::get<uint64_t>(value));
  return keys;
}

ordered_json ListAnswer(const Snapshot& snapshot, const SectionList& list,
                        std::string_view parameters) {
  const std::string command = "/twinpath/" + list.name;
  const auto entry = [&](size_t at) {
    ordered_json values;
    AddRow(list.rows[at], &values);
    return values;
  };
  if (list.key.empty()) return Page(snapshot, command, parameters, list.rows.size(), entry);
  const std::optional<size_t> first = parameters.empty() ? 0 : ParseNumber(parameters);
  if (!first)
    return Error("FIRST: found \"" + std::string(parameters.substr(0, 64)) +
                 "\", allowed an integer: the first " + list.key + " of the page");
  const std::vector<uint64_t> keys = RowKeys(list);
  const auto start = std::lower_bound(keys.begin(), keys.end(), *first);
  return PageFrom(
      snapshot, command, *first, static_cast<size_t>(start - keys.begin()), keys.size(),
      [&](size_t at) { return keys[at]; }, entry);
}

ordered_json SectionsAnswer(const Snapshot& snapshot, std::string_view command,
                            std::string_view parameters) {
  const Sections& sections = snapshot.sections;
  for (const SectionList& list : sections.lists)
    if (command == "/twinpath/" + list.name) return ListAnswer(snapshot, list, parameters);
  if (sections.about.empty() || command != "/twinpath/" + snapshot.path)
    return Error("no such command: " + std::string(command.substr(0, 64)));
  if (!parameters.empty()) return Error(std::string(command) + " takes no parameters");
  ordered_json answer;
  AddRow(sections.about, &answer);
  answer["duration_us"] = DurationUs(snapshot);
  AddRow(sections.totals, &answer);
  return answer;
}

}  // namespace

const std::vector<TelemetryCommand>& TelemetryCommands() {
  // librte_telemetry refuses a help text of more than 63 bytes.
  static const std::vector<TelemetryCommand> commands = {
      {"/twinpath/info", "The program: path, version, seed, policy. No parameters"},
      {"/twinpath/ports", "Ports and their drivers. Parameters: [FIRST]"},
      {"/twinpath/queues", "Counters of each queue. Parameters: [PORT[,FIRST]]"},
      {"/twinpath/rules", "Matched and lost packets by rule. Parameters: [FIRST]"},
      {"/twinpath/lcores", "How busy each core is. Parameters: [FIRST]"},
      {"/twinpath/faults", "Faults, past and present. Parameters: [FIRST]"}};
  return commands;
}

std::vector<TelemetryCommand> TelemetryCommandsOf(const Snapshot& snapshot) {
  const Sections& sections = snapshot.sections;
  if (sections.about.empty()) return TelemetryCommands();
  std::vector<TelemetryCommand> commands = {
      {"/twinpath/info", "The program: path, version, seed. No parameters"},
      {"/twinpath/" + snapshot.path, sections.help}};
  for (const SectionList& list : sections.lists)
    commands.push_back({"/twinpath/" + list.name, list.help});
  return commands;
}

ordered_json AnswerCommand(const Snapshot& snapshot, std::string_view command,
                           std::string_view parameters) {
  if (command == "/twinpath/info") return InfoAnswer(snapshot, parameters);
  if (command == "/twinpath/ports") return PortsAnswer(snapshot, parameters);
  if (command == "/twinpath/queues") return QueuesAnswer(snapshot, parameters);
  if (command == "/twinpath/rules") return RulesAnswer(snapshot, parameters);
  if (command == "/twinpath/lcores") return LcoresAnswer(snapshot, parameters);
  if (command == "/twinpath/faults") return FaultsAnswer(snapshot, parameters);
  return SectionsAnswer(snapshot, command, parameters);
}

}  // namespace twinpath
