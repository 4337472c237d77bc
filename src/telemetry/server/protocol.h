// SPDX-License-Identifier: BSD-3-Clause
// DPDK's telemetry protocol, version 2, without socket calls: the socket's path, the greeting, and
// the answer to a request. Pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_
#define TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

inline constexpr size_t kMaxAnswer = 16 * 1024;  // bytes of a record from the server
inline constexpr size_t kMaxRequest = 1023;      // bytes of a request; the rest is ignored

// EAL's runtime folder for a file prefix. The first of these that applies:
// $RUNTIME_DIRECTORY/dpdk/PREFIX; as root /var/run/dpdk/PREFIX; $XDG_RUNTIME_DIR/dpdk/PREFIX;
// /tmp/dpdk/PREFIX.
std::string RuntimeFolder(const std::string& file_prefix);

// The telemetry socket in that folder. InvalidArgument for a prefix that is not a file name, or
// that makes the path too long for a socket.
absl::StatusOr<std::string> TelemetrySocketPath(const std::string& file_prefix);

// {"version": ..., "pid": ..., "max_output_len": 16384}: the greeting, and the answer to /info.
std::string Greeting(const std::string& version);

// Returns the answer to `request`: {"/command": value}. The commands are those of json.h and DPDK's
// own: "/", "/info" and "/help,COMMAND". The answer to an unknown command is null, as in DPDK.
// Calls `snapshot` once, except for /info: the commands depend on the running program.
std::string AnswerRequest(std::string_view request, const std::string& version,
                          const std::function<Snapshot()>& snapshot);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_
