// SPDX-License-Identifier: BSD-3-Clause
// Converts rows to and from JSON objects, for the summary, the telemetry commands and their client.
// Pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_FIELDS_H_
#define TWINPATH_TELEMETRY_FIELDS_H_

#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "src/telemetry/counters.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// Sets the fields of `list` in `object`, each name after `prefix`.
template <typename Row, typename List>
void AddCounters(const Row& row, const List& list, nlohmann::ordered_json* object,
                 const std::string& prefix = "") {
  ForEachNumber(row, list, [&](const std::string& name, const auto& number) {
    (*object)[prefix + name] = number;
  });
}

// The number under `key`; 0 where there is none.
uint64_t Number(const nlohmann::ordered_json& object, const std::string& key);

// Reverses AddCounters. A missing field is read as 0.
template <typename Row, typename List>
void ReadCounters(const nlohmann::ordered_json& object, const List& list, Row* row,
                  const std::string& prefix = "") {
  ForEachNumber(*row, list, [&](const std::string& name, auto& number) {
    number = Number(object, prefix + name);
  });
}

// Sets rx_packets, rx_bytes, tx_packets, ... no_port_bytes in `object`.
void AddQueueCounters(const tp_queue_counters& counters, nlohmann::ordered_json* object);

// Sets the number of reloads, and the counts of the rules that reloads removed.
void AddReloads(const ReloadSnapshot& reloads, nlohmann::ordered_json* object);

// The JSON field of QueueSnapshot::core: "lcore" on the DPDK path, "cpu" on the other paths.
const char* CoreField(std::string_view path);

// Returns `bytes` with U+FFFD in place of bytes that are not UTF-8: names and paths may have any.
std::string Utf8(const std::string& bytes);

// Returns `name` with '_' in place of each character that a telemetry key may not have (DPDK allows
// [A-Za-z0-9_/]).
std::string CounterName(std::string_view name);

// lost / matched; 0 if nothing matched.
double LossRate(const RuleSnapshot& rule);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FIELDS_H_
