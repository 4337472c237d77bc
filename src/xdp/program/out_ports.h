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
  // For `ports` whose frames leave only by the port by which they came in.
  explicit OutPorts(std::vector<std::string> ports)
      : names_(std::move(ports)), xdp_tx_(names_.size(), true) {}
  // Frames that leave by port i go out of interface `indexes[i]`. `xdp_tx[i]` says whether XDP_TX
  // of that port's driver is used for frames that came in by the same port.
  OutPorts(std::vector<std::string> ports, std::vector<uint32_t> indexes, std::vector<bool> xdp_tx)
      : names_(std::move(ports)), indexes_(std::move(indexes)), xdp_tx_(std::move(xdp_tx)) {}

  const std::string& name(size_t port) const { return names_[port]; }
  bool xdp_tx(size_t port) const { return xdp_tx_[port]; }

  // Sets the port's interface for programs loaded from now on; 0: it has none now.
  void Set(size_t port, uint32_t index) { indexes_[port] = index; }
  // Adds all ports to the devmap of a program that is being loaded. Skips ports whose interface
  // disappeared.
  absl::Status EnterAll(int devmap) const;
  // Lets `program` send frames through the port's interface.
  absl::Status Enter(int program, size_t port) const;
  // False if the kernel removed the port from the program's devmap. It does so when the interface
  // moves to another network namespace, even if the interface came back unchanged.
  bool Entered(int program, size_t port) const;

 private:
  std::vector<std::string> names_;
  std::vector<uint32_t> indexes_;  // by port; empty: nothing leaves by another port
  std::vector<bool> xdp_tx_;       // by port
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_OUT_PORTS_H_
