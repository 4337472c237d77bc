// SPDX-License-Identifier: BSD-3-Clause
// Rows to and from JSON objects, the same for the summary, the telemetry commands and the client
// that reads them back. Pure functions; any thread.

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

// The way back: a field that is missing is 0.
template <typename Row, typename List>
void ReadCounters(const nlohmann::ordered_json& object, const List& list, Row* row,
                  const std::string& prefix = "") {
  ForEachNumber(*row, list, [&](const std::string& name, auto& number) {
    number = Number(object, prefix + name);
  });
}

// Sets rx_packets, rx_bytes, tx_packets, ... no_port_bytes in `object`.
void AddQueueCounters(const tp_queue_counters& counters, nlohmann::ordered_json* object);

// Sets how often the policy was replaced, and what the rules that a reload removed had counted.
void AddReloads(const ReloadSnapshot& reloads, nlohmann::ordered_json* object);

// What QueueSnapshot::core numbers: "lcore" on the DPDK path, "cpu" on the others.
const char* CoreField(std::string_view path);

// `name` with '_' for every character that a telemetry key may not have (DPDK: [A-Za-z0-9_/]).
std::string CounterName(std::string_view name);

// lost / matched; 0 where nothing matched.
double LossRate(const RuleSnapshot& rule);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FIELDS_H_
