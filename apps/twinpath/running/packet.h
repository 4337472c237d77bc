// SPDX-License-Identifier: BSD-3-Clause
// What a running program answers for `twinpath explain --running`. Plain values. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_
#define TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// The lists are by rule, the default last: see PacketState of src/engine/path.h.
struct RunningPacket {
  Policy policy;
  CompiledPolicy compiled;  // for the program's ports
  size_t port = 0;          // their index
  uint32_t queue = 0;
  uint64_t at_ns = 0;
  std::vector<uint64_t> matched, flow_matched, age_ns;

  // Lets the times of each rule's conditions count as in the program, if the time is at_ns.
  void SetOrigins();
};

// Reads the answer of PolicyReloader::Ask, and makes the policy in force from it. DataLoss: the
// program answers something else, as another version may do.
absl::StatusOr<RunningPacket> ReadRunningPacket(const nlohmann::ordered_json& answer);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_RUNNING_PACKET_H_
