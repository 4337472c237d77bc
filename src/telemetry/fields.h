// SPDX-License-Identifier: BSD-3-Clause
// The names of the counters and the shape of a rule's figures, said once for the summary, the
// telemetry commands and whoever reads them back. Pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_FIELDS_H_
#define TWINPATH_TELEMETRY_FIELDS_H_

#include <array>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// By enum tp_verdict. A counter's fields are NAME_packets and NAME_bytes.
inline constexpr std::array<const char*, TP_VERDICTS> kVerdictNames = {
    "tx", "pass", "lost", "denied", "malformed", "tx_full", "no_port"};

// Adds rx_packets, rx_bytes, tx_packets, ... no_port_bytes to `object`.
void AddCounters(const tp_queue_counters& counters, nlohmann::ordered_json* object);

// Adds marked_packets, marked_bytes, flows_added and flows_evicted.
void AddExtras(const tp_queue_extras& extras, nlohmann::ordered_json* object);

// Makes `object` of how often the policy was replaced, and what the rules that went had counted.
void AddReloads(const ReloadSnapshot& reloads, nlohmann::ordered_json* object);

// "lcore" on the DPDK path, "cpu" on the XDP path: what QueueSnapshot::core numbers.
const char* CoreField(std::string_view path);

// `name` with every character that a telemetry key may not have (DPDK: [A-Za-z0-9_/]) made '_'.
std::string CounterName(std::string_view name);

// lost / matched, 0 for none matched.
double LossRate(const RuleSnapshot& rule);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FIELDS_H_
