// SPDX-License-Identifier: BSD-3-Clause
// Snapshot -> JSON: the summary, and the answer to each telemetry command; the same on both paths.
// Pure functions.

#ifndef TWINPATH_TELEMETRY_JSON_H_
#define TWINPATH_TELEMETRY_JSON_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// The summary: path, seed, policy, duration_s, ports, queues, rules, reloads, faults; rules with
// the 95 % confidence bounds of their true loss rate. Of a program with sections: path, seed,
// duration_s and the sections.
nlohmann::ordered_json SummaryJson(const Snapshot& snapshot);

// A telemetry command, without its parameters, and a line of help.
struct TelemetryCommand {
  std::string name;  // "/twinpath/info"
  std::string help;
};
// The commands of both datapaths.
const std::vector<TelemetryCommand>& TelemetryCommands();
// The commands of whatever program `snapshot` is of.
std::vector<TelemetryCommand> TelemetryCommandsOf(const Snapshot& snapshot);

// The answer to `command` with `parameters` (the text after the comma; may be empty). The answer is
// what librte_telemetry can hold: an object of scalars and of objects of scalars, with text in
// percent-encoded ASCII (see answer.cc), at most `kAnswerBytes` when dumped. A longer list is
// paged: "next" is where the next page starts. Wrong parameters are answered by {"error": "..."}. A
// number_unsigned needs 64 bits; a number_integer may be negative.
inline constexpr size_t kAnswerBytes = 15 * 1024;
nlohmann::ordered_json AnswerCommand(const Snapshot& snapshot, std::string_view command,
                                     std::string_view parameters);

// Wilson's score interval (Wilson 1927) at 95 % for `lost` of `matched`; {0, 1} where nothing
// matched.
std::pair<double, double> LossRateBounds(uint64_t lost, uint64_t matched);

// Packets per second of each queue and of all, between two summaries of one run of a datapath, as a
// table. Empty where no time passed between them, or they are of two runs. `width` as below.
std::string RateTable(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                      size_t width = 100);

// The tables of a datapath's summary: ports, queues, rules. They fit `width` columns (80 or more)
// as long as names are short.
std::string SummaryTable(const nlohmann::ordered_json& summary, size_t width = 100);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_JSON_H_
