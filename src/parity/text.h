// SPDX-License-Identifier: BSD-3-Clause
// Formats a comparison of the two paths as text, as JSON, and as one line per verdict. Pure
// functions.

#ifndef TWINPATH_PARITY_TEXT_H_
#define TWINPATH_PARITY_TEXT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/engine/frame_effects.h"
#include "src/parity/run.h"

namespace twinpath {

// The result of a comparison.
struct ParityReport {
  std::string policy;  // its file
  std::string port;    // ingress
  uint32_t queues = 1;
  std::vector<std::pair<std::string, uint64_t>> captures;  // file, frames
  uint64_t frames = 0, different = 0;
  uint64_t cut = 0;      // frames that are incomplete in the captures
  uint64_t skipped = 0;  // frames longer than kLongestFrame, which are skipped
  std::array<std::string, 2> paths;
  std::vector<ParityDifference> differences;     // the first ones
  std::vector<std::string> counter_differences;  // between the two paths
  uint64_t burst_different = 0;                  // frames that differ when run in bursts
  std::optional<uint64_t> burst_first;
  std::vector<std::string> burst_counter_differences;

  bool Same() const {
    return different == 0 && counter_differences.empty() && burst_different == 0 &&
           burst_counter_differences.empty();
  }
};

// "frames N, equal N, different N" and the differences.
std::string ParityText(const ParityReport& report, const CompiledPolicy& policy);
nlohmann::ordered_json ParityJson(const ParityReport& report, const CompiledPolicy& policy);

// One line of --verdicts: path, n, port, queue, rule, verdict, out_port, sha256. Fails if the
// digest fails.
absl::StatusOr<nlohmann::ordered_json> VerdictJson(const std::string& path,
                                                   const ParityFrame& frame,
                                                   const FrameEffects& effects,
                                                   const CompiledPolicy& policy);

// "IPv4 udp 10.0.0.1:5000 > 10.0.0.2:53, vlan 5"; "malformed".
std::string DescribeFrame(absl::Span<const uint8_t> frame);

}  // namespace twinpath

#endif  // TWINPATH_PARITY_TEXT_H_
