// SPDX-License-Identifier: BSD-3-Clause
// All that a comparison found, as plain values, and their JSON: the file from which a report is
// made, with which a later run is compared, and from which an interrupted run goes on. Control
// thread.

#ifndef TWINPATH_COMPARE_RESULT_RESULTS_H_
#define TWINPATH_COMPARE_RESULT_RESULTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/compare/measure/counts.h"
#include "src/compare/measure/cpu.h"

namespace twinpath {

// What is measured together: an engine under one size of frame and one loss.
struct CaseKey {
  std::string engine;
  uint32_t size = 0;  // bytes of a frame, without its FCS
  std::string loss;   // of --loss; empty: the policy's own
  friend auto operator<=>(const CaseKey&, const CaseKey&) = default;
};

struct LatencyResult {  // nanoseconds
  double p50 = 0, p99 = 0, p999 = 0, most = 0;
};

struct Trial {
  CaseKey key;
  uint32_t repetition = 0;  // from 0
  std::string purpose;      // "search", "load"
  double asked = 0;         // packets a second; 0: as fast as possible
  double load = 0;          // of the throughput, for "load"
  double seconds = 0;       // in which the generator sent
  TrialCounts counts;
  // What the engine's rules matched, lost, and should have lost by their models; 0 matched: the
  // engine does not say.
  uint64_t matched = 0, lost = 0;
  double lost_asked = 0;
  EngineCpu cpu;
  std::optional<LatencyResult> latency;
  std::string noise;      // why it was disturbed; empty: it was not
  bool repeated = false;  // this is the second try of a disturbed trial

  double sent_rate() const { return Rate(counts.sent); }
  double received_rate() const { return Rate(counts.received); }
  // CPU seconds for a million received packets or packets that the policy took; 0: none came.
  double cpu_per_million() const;

 private:
  double Rate(uint64_t packets) const {
    return seconds > 0 ? static_cast<double>(packets) / seconds : 0;
  }
};

// The end of one search.
struct Throughput {
  CaseKey key;
  uint32_t repetition = 0;
  double rate = 0;                 // packets a second
  bool generator_limited = false;  // the engine's own limit is higher
};

// An engine, whether or not it can run here.
struct EngineRow {
  std::string name, title;
  bool yardstick = false;             // has no such policy: exempt from sameness
  std::string why;                    // it does not run here; empty: it runs
  std::string needs;                  // what would change that
  std::vector<std::string> commands;  // that start it
};

struct Sameness {
  uint64_t frames = 0, different = 0;
  std::vector<std::string> engines;  // whose decisions were compared
  std::string command;
  std::string problem;  // why nothing was compared; empty: it was
};

struct PolicyFacts {
  std::string file, sha256, text;
};

struct Results {
  std::string version;  // of the program
  std::string started;  // UTC, "2026-01-31T12:00:00Z"
  double duration = 0;  // seconds, of all runs together
  bool complete = false;
  std::vector<std::pair<std::string, std::string>> machine;
  PolicyFacts policy;
  nlohmann::ordered_json settings;  // as RunSettings::Json
  std::vector<std::string> notes;   // for people: what was left out, and why
  Sameness sameness;
  std::vector<EngineRow> engines;  // in the order of the report
  std::vector<Trial> trials;
  std::vector<Throughput> throughputs;
};

nlohmann::ordered_json ResultsJson(const Results& results);
// `name` is for the error: InvalidArgument where the text is not such a file.
absl::StatusOr<Results> ParseResults(const std::string& text, const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RESULT_RESULTS_H_
