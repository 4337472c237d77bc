// SPDX-License-Identifier: BSD-3-Clause
// The telemetry server of a program without librte_telemetry: DPDK's protocol on a SOCK_SEQPACKET
// socket, where DPDK's tools expect it. Owns the socket, its clients and one thread that serves
// them all. The thread touches the datapath only through the snapshot function.

#ifndef TWINPATH_TELEMETRY_SERVER_SERVER_H_
#define TWINPATH_TELEMETRY_SERVER_SERVER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class TelemetryServer {
 public:
  struct Limits {
    // Connected clients, at most. A further client replaces the one that has been silent longest if
    // that one has been silent for at least `idle`; otherwise the new client is refused with an
    // "error" in the greeting.
    size_t clients = 64;
    std::chrono::milliseconds idle = std::chrono::seconds(1);
  };

  // Serves `file_prefix` ("twinpath-xdp") until destroyed. `version` goes into the greeting
  // ("twinpath 0.1.0"). `snapshot` is called on the server's thread, at most once for each request.
  // Replaces the socket of a dead process. AlreadyExists, with the process id, if a running process
  // uses the prefix; InvalidArgument for a prefix that is not a file name; PermissionDenied, or the
  // system's error, if the folder cannot be made.
  static absl::StatusOr<TelemetryServer> Start(const std::string& file_prefix,
                                               const std::string& version,
                                               std::function<Snapshot()> snapshot,
                                               const Limits& limits);
  static absl::StatusOr<TelemetryServer> Start(const std::string& file_prefix,
                                               const std::string& version,
                                               std::function<Snapshot()> snapshot) {
    return Start(file_prefix, version, std::move(snapshot), Limits());
  }

  TelemetryServer(TelemetryServer&&) noexcept;
  TelemetryServer& operator=(TelemetryServer&&) noexcept;
  // Closes every connection, joins the thread, and removes the socket.
  ~TelemetryServer();

  // The socket's path.
  const std::string& path() const;

 private:
  class Loop;
  explicit TelemetryServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_SERVER_H_
