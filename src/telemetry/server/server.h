// SPDX-License-Identifier: BSD-3-Clause
// The telemetry server of a datapath that has no librte_telemetry: DPDK's protocol on a
// SOCK_SEQPACKET socket at the place where DPDK's tools look. Owns the socket, its clients and one
// thread, which serves them all and never touches the datapath but through the snapshot function.

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
    // As many clients are connected at most. One more takes the place of the one that has been
    // silent for longest, if that is `idle` at least; else it is refused with an "error" in the
    // greeting.
    size_t clients = 64;
    std::chrono::milliseconds idle = std::chrono::seconds(1);
  };

  // Serves `file_prefix` ("twinpath-xdp") until destroyed. `version` is what the greeting says
  // ("twinpath 0.1.0"). `snapshot` is called on the server's thread, at most once for each request.
  // The socket of a process that died is taken over; AlreadyExists where another one lives, naming
  // its process; InvalidArgument for a prefix that is no file name; PermissionDenied, or what the
  // system said, where the folder cannot be made.
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
