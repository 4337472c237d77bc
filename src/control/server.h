// SPDX-License-Identifier: BSD-3-Clause
// Serves the control socket of a running datapath. The socket has mode 0600, for its owner and
// root. Owns the socket and one thread, which handles one request at a time.

#ifndef TWINPATH_CONTROL_SERVER_H_
#define TWINPATH_CONTROL_SERVER_H_

#include <sched.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

class ControlServer {
 public:
  // Loads the policy `text` and returns the answer. `file` is the client's name for the policy.
  // InvalidArgument: the policy is wrong. On an error nothing has changed. The server calls it on
  // its own thread, and only if the client still waits for the answer.
  using Reload = std::function<absl::StatusOr<nlohmann::ordered_json>(const std::string& file,
                                                                      const std::string& text)>;
  // Gives the rule `rule` a random loss at the rate `loss`. Errors and thread: see Reload.
  using SetLoss = std::function<absl::StatusOr<nlohmann::ordered_json>(const std::string& rule,
                                                                       const std::string& loss)>;
  // Returns what the datapath would do with `frame` on a port and queue now. `port` may be empty,
  // and `queue` nullopt, if there is only one. Changes nothing.
  using Ask = std::function<absl::StatusOr<nlohmann::ordered_json>(
      const std::string& port, std::optional<uint32_t> queue, const std::string& frame)>;
  // Returns the sources of the current policy. Changes nothing.
  using Sources = std::function<absl::StatusOr<nlohmann::ordered_json>()>;
  struct Options {
    size_t clients = 16;  // connected at most; further clients are refused
    // How long a client may take to send its request and to read the answer.
    std::chrono::milliseconds patience = std::chrono::seconds(5);
    const cpu_set_t* cpus = nullptr;  // of the server's thread; null: those of the caller
    // Called on the server's thread with a log line for each request that was dropped because its
    // client had closed. Null: no log.
    std::function<void(const std::string&)> log = nullptr;
    // Optional handlers. A request without a handler is refused.
    SetLoss set_loss = nullptr;
    Ask ask = nullptr;
    Sources sources = nullptr;
  };

  // Serves `file_prefix` until destroyed. The caller must own the prefix (by its telemetry socket
  // or lock): Start assumes that an existing control socket belongs to a dead process, and replaces
  // it.
  static absl::StatusOr<ControlServer> Start(const std::string& file_prefix, Reload reload,
                                             const Options& options);
  ControlServer(ControlServer&&) noexcept;
  ControlServer& operator=(ControlServer&&) noexcept;
  // Waits for the request in progress, then closes all connections and removes the socket.
  ~ControlServer();

 private:
  class Loop;
  explicit ControlServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_SERVER_H_
