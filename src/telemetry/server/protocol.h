// SPDX-License-Identifier: BSD-3-Clause
// DPDK's telemetry protocol, version 2, without the sockets: where they are, what the server greets
// with, and the record that answers a record. Pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_
#define TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

inline constexpr size_t kMaxAnswer = 16 * 1024;  // octets of a record from the server
inline constexpr size_t kMaxRequest = 1023;  // octets of a record to it; what is more is cut off

// EAL's runtime folder for a file prefix: $RUNTIME_DIRECTORY/dpdk/PREFIX, else as root
// /var/run/dpdk/PREFIX, else $XDG_RUNTIME_DIR/dpdk/PREFIX, else /tmp/dpdk/PREFIX.
std::string RuntimeFolder(const std::string& file_prefix);

// The telemetry socket in that folder. InvalidArgument for a prefix that is no file name, or that
// makes the path longer than a socket's may be.
absl::StatusOr<std::string> TelemetrySocketPath(const std::string& file_prefix);

// {"version": ..., "pid": ..., "max_output_len": 16384}: the greeting, and the answer to /info.
std::string Greeting(const std::string& version);

// The record that answers `request`: {"/command": value}. Besides the commands of json.h there are
// DPDK's own: "/", "/info" and "/help,COMMAND". An unknown command answers null, as DPDK does.
// `snapshot` is asked once, but for /info: which commands there are hangs on what runs.
std::string AnswerRequest(std::string_view request, const std::string& version,
                          const std::function<Snapshot()>& snapshot);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_PROTOCOL_H_
