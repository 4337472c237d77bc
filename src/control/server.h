// SPDX-License-Identifier: BSD-3-Clause
// Serves a running datapath's control socket: mode 0600, its owner and root only. Owns the socket
// and one thread, on which requests are carried out, one after the other.

#ifndef TWINPATH_CONTROL_SERVER_H_
#define TWINPATH_CONTROL_SERVER_H_

#include <sched.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

class ControlServer {
 public:
  // Puts the policy `text`, whose file the sender calls `file`, into force, and says what came of
  // it. InvalidArgument: the policy is wrong. On an error nothing has changed. The server's thread.
  using Reload = std::function<absl::StatusOr<nlohmann::ordered_json>(const std::string& file,
                                                                      const std::string& text)>;
  struct Options {
    size_t clients = 16;  // connected at most; one more is told so, and goes
    // For a client to send its request, and to take the answer.
    std::chrono::milliseconds patience = std::chrono::seconds(5);
    const cpu_set_t* cpus = nullptr;  // for the thread; null: the caller's
  };

  // Serves `file_prefix` until destroyed. The caller has the right to the prefix (its telemetry
  // socket, or its lock): what a dead owner left of the socket is replaced.
  static absl::StatusOr<ControlServer> Start(const std::string& file_prefix, Reload reload,
                                             const Options& options);
  ControlServer(ControlServer&&) noexcept;
  ControlServer& operator=(ControlServer&&) noexcept;
  // Waits for the request that is being carried out, then closes every connection and removes the
  // socket.
  ~ControlServer();

 private:
  class Loop;
  explicit ControlServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_SERVER_H_
