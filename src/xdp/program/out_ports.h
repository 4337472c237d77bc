// SPDX-License-Identifier: BSD-3-Clause
// The interfaces through which frames leave. Each program has its own devmap, because the kernel
// does not let a program with fragments share a devmap with a program without. Control thread.

#ifndef TWINPATH_XDP_PROGRAM_OUT_PORTS_H_
#define TWINPATH_XDP_PROGRAM_OUT_PORTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

class OutPorts {
 public:
  // For `ports` whose frames leave only by the port that received them.
  explicit OutPorts(std::vector<std::string> ports)
      : names_(std::move(ports)), xdp_tx_(names_.size(), true) {}
  // Frames for port i leave by interface `indexes[i]`. `xdp_tx[i]` says whether to use the driver's
  // XDP_TX for frames that the same port received.
  OutPorts(std::vector<std::string> ports, std::vector<uint32_t> indexes, std::vector<bool> xdp_tx)
      : names_(std::move(ports)), indexes_(std::move(indexes)), xdp_tx_(std::move(xdp_tx)) {}

  const std::string& name(size_t port) const { return names_[port]; }
  bool xdp_tx(size_t port) const { return xdp_tx_[port]; }

  // Sets the port's interface for programs that are loaded afterwards. 0: it has none now.
  void Set(size_t port, uint32_t index) { indexes_[port] = index; }
  // Adds all ports to the devmap of a program that is being loaded. Skips ports whose interface
  // disappeared.
  absl::Status EnterAll(int devmap) const;
  // Lets `program` send frames through the port's interface.
  absl::Status Enter(int program, size_t port) const;
  // False if the kernel removed the port from the program's devmap. The kernel does so when the
  // interface moves to another network namespace, even if the interface comes back unchanged.
  bool Entered(int program, size_t port) const;

 private:
  std::vector<std::string> names_;
  std::vector<uint32_t> indexes_;  // by port; empty: nothing leaves by another port
  std::vector<bool> xdp_tx_;       // by port
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_OUT_PORTS_H_
