// SPDX-License-Identifier: BSD-3-Clause
// Serves the control socket of a running datapath: mode 0600, only for its owner and root. Owns the
// socket and one thread, which handles one request after the other.

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
  // Loads the policy `text`, which the client calls `file`, and returns the answer.
  // InvalidArgument: the policy is wrong. On an error nothing has changed. Called on the server's
  // thread, if the client still waits for the answer.
  using Reload = std::function<absl::StatusOr<nlohmann::ordered_json>(const std::string& file,
                                                                      const std::string& text)>;
  // Gives the rule of this name a random loss at the rate `loss`. As Reload in all else.
  using SetLoss = std::function<absl::StatusOr<nlohmann::ordered_json>(const std::string& rule,
                                                                       const std::string& loss)>;
  // Says what `frame` would meet now on a port: its name, or empty for the only one; `queue`:
  // nullopt for the only one. Changes nothing.
  using Ask = std::function<absl::StatusOr<nlohmann::ordered_json>(
      const std::string& port, std::optional<uint32_t> queue, const std::string& frame)>;
  struct Options {
    size_t clients = 16;  // the most connected; one more is refused
    // The time for a client to send its request, and to read the answer.
    std::chrono::milliseconds patience = std::chrono::seconds(5);
    const cpu_set_t* cpus = nullptr;  // for the thread; null: the caller's
    // Gets a line, on the server's thread, for a request that is not carried out because its client
    // is gone; null: nobody.
    std::function<void(const std::string&)> log = nullptr;
    // Requests that are refused where nobody handles them.
    SetLoss set_loss = nullptr;
    Ask ask = nullptr;
  };

  // Serves `file_prefix` until destroyed. The caller must own the prefix (by its telemetry socket
  // or lock): an existing control socket is of a dead owner, and is replaced.
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
