// SPDX-License-Identifier: BSD-3-Clause
// The answer of a running program to `twinpath explain --running`. Plain values. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_
#define TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// The vectors have one entry for each rule, the default rule last: see PacketState in
// src/engine/path.h.
struct RunningPacket {
  Policy policy;
  CompiledPolicy compiled;  // for the program's ports
  size_t port = 0;          // an index into the program's ports
  uint32_t queue = 0;
  uint64_t at_ns = 0;
  bool completes = false;
  std::vector<uint64_t> matched, flow_matched, age_ns;

  // Sets the start times of the rules' conditions, so that they hold at at_ns as in the program.
  void SetOrigins();
};

// Parses the answer of PolicyReloader::Ask, and builds the current policy from it. DataLoss: the
// answer has another form, as that of another version may have.
absl::StatusOr<RunningPacket> ReadRunningPacket(const nlohmann::ordered_json& answer);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_
