// SPDX-License-Identifier: BSD-3-Clause
// The interfaces by which frames leave. Each program has a devmap of its own, because the kernel
// lets no devmap be shared by a program with fragments and one without. Control thread.

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
  // Frames of `ports` ports leave by the ports they came in by alone.
  explicit OutPorts(std::vector<std::string> ports)
      : names_(std::move(ports)), xdp_tx_(names_.size(), true) {}
  // Frames that leave by port i go out of interface `indexes[i]`; `xdp_tx[i]` says whether the
  // driver's XDP_TX serves frames that came in by that port.
  OutPorts(std::vector<std::string> ports, std::vector<uint32_t> indexes, std::vector<bool> xdp_tx)
      : names_(std::move(ports)), indexes_(std::move(indexes)), xdp_tx_(std::move(xdp_tx)) {}

  const std::string& name(size_t port) const { return names_[port]; }
  bool xdp_tx(size_t port) const { return xdp_tx_[port]; }

  // The port's interface, in programs loaded from now on; 0: it has none now.
  void Set(size_t port, uint32_t index) { indexes_[port] = index; }
  // Enters all ports into the devmap of a program that is being loaded. A port whose interface
  // disappeared is left out.
  absl::Status EnterAll(int devmap) const;
  // Lets `program` send the port's frames out of the port's interface.
  absl::Status Enter(int program, size_t port) const;
  // False: the kernel took the port out of the program's devmap, as it does when the interface goes
  // to another network namespace, from where it may have come back unchanged.
  bool Entered(int program, size_t port) const;

 private:
  std::vector<std::string> names_;
  std::vector<uint32_t> indexes_;  // by port; empty: nothing leaves by another port
  std::vector<bool> xdp_tx_;       // by port
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_OUT_PORTS_H_
