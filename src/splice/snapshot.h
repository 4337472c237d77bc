// SPDX-License-Identifier: BSD-3-Clause
// The splicer at one moment, and the sections that telemetry shows. Plain values; any thread.

#ifndef TWINPATH_SPLICE_SNAPSHOT_H_
#define TWINPATH_SPLICE_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "src/telemetry/snapshot.h"

namespace twinpath::splice {

// A spliced TCP connection. Bytes are payload.
struct ConnectionSnapshot {
  uint64_t number = 0;         // from 0, in the order of acceptance
  std::string client, target;  // "127.0.0.1:80", "[::1]:80"
  std::string mode;            // "copy", "splice", "sockmap"
  std::string state;           // "connecting", "open", "half-closed", "resetting"
  double age_s = 0;
  uint64_t to_target_bytes = 0, to_client_bytes = 0;
};

struct TargetSnapshot {
  std::string address;
  std::string state;         // "up", "down", "to be tried"
  uint64_t connections = 0;  // made
  uint64_t failures = 0;     // attempts that failed
};

struct SpliceSnapshot {
  std::string listen, mode, why;
  uint32_t workers = 0, max_connections = 0;
  std::vector<std::pair<std::string, uint64_t>> counters;  // connections and bytes, by name
  std::vector<TargetSnapshot> targets;
  std::vector<ConnectionSnapshot> connections;  // open now, by number
};

// The lists of the sections, in the order of the summary.
inline constexpr char kTargets[] = "targets";
inline constexpr char kConnections[] = "connections";

// The sections of a snapshot with path "splice".
Sections MakeSections(const SpliceSnapshot& splice);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_SNAPSHOT_H_
