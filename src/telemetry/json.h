// SPDX-License-Identifier: BSD-3-Clause
// Converts a snapshot to JSON: the summary, and the answer to each telemetry command. Both paths
// use it. Pure functions.

#ifndef TWINPATH_TELEMETRY_JSON_H_
#define TWINPATH_TELEMETRY_JSON_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// The summary: path, seed, policy, duration_s, ports, queues, rules, reloads, faults. A rule has
// the 95 % confidence bounds of its true loss rate. The summary of a program with sections has
// path, seed, duration_s and the sections.
nlohmann::ordered_json SummaryJson(const Snapshot& snapshot);

// A telemetry command, without its parameters, and a line of help.
struct TelemetryCommand {
  std::string name;  // "/twinpath/info"
  std::string help;
};
// The commands of both datapaths.
const std::vector<TelemetryCommand>& TelemetryCommands();
// The commands of the program that `snapshot` was taken from.
std::vector<TelemetryCommand> TelemetryCommandsOf(const Snapshot& snapshot);

// Returns the answer to `command` with `parameters` (the text after the comma; may be empty). The
// answer has only what librte_telemetry can represent: an object of scalars and of objects of
// scalars, with text in percent-encoded ASCII (see answer.cc), at most `kAnswerBytes` when dumped.
// A longer list is paged: "next" is the start of the next page. Wrong parameters are answered by
// {"error": "..."}. A number_unsigned needs 64 bits; a number_integer may be negative.
inline constexpr size_t kAnswerBytes = 15 * 1024;
nlohmann::ordered_json AnswerCommand(const Snapshot& snapshot, std::string_view command,
                                     std::string_view parameters);

// Wilson's score interval (Wilson 1927) at 95 % for `lost` of `matched` packets; {0, 1} if nothing
// matched.
std::pair<double, double> LossRateBounds(uint64_t lost, uint64_t matched);

// A table of packets per second, for each queue and in total, between two summaries of one run.
// Empty if no time passed between the summaries, or if they belong to two runs. `width` is in
// columns, see SummaryTable.
std::string RateTable(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                      size_t width = 100);

// The tables of a datapath's summary: ports, queues, rules. They fit `width` columns (80 or more)
// as long as names are short.
std::string SummaryTable(const nlohmann::ordered_json& summary, size_t width = 100);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_JSON_H_
