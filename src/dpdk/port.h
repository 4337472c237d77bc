// SPDX-License-Identifier: BSD-3-Clause
// A logical port: the one or several ethdevs behind one DEVICE, as a list of queues. Control
// thread; the workers get its QueueEnds.

#ifndef TWINPATH_DPDK_PORT_H_
#define TWINPATH_DPDK_PORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/profile.h"
#include "src/dpdk/device.h"
#include "src/dpdk/ethdev.h"
#include "src/dpdk/interface_guard.h"
#include "src/dpdk/worker.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class Port {
 public:
  // Probes the device. EAL runs; for a PCI address it was started with it.
  static absl::StatusOr<Port> Open(const std::string& name, Device device);

  // Configures and starts `queues` queues with mbufs from `mempool`.
  absl::Status Start(const Profile& profile, bool one_mempool, rte_mempool* mempool,
                     InterfaceGuard* guard);

  const std::string& name() const { return name_; }
  const Device& device() const { return device_; }
  int node() const { return ethdevs_.front().node(); }
  std::string mac() const { return ethdevs_.front().mac(); }
  const QueueEnd& end(uint32_t queue) const { return ends_[queue]; }
  bool link_up() const;

  // The port's part of a snapshot; counters of the device itself in `extra`. Any thread but one at
  // a time.
  PortSnapshot Describe() const;
  // One line for the log.
  std::string Summary() const;

 private:
  Port(std::string name, Device device) : name_(std::move(name)), device_(std::move(device)) {}
  void Protect(const Profile& profile, InterfaceGuard* guard);
  void ReadSocketMode(const std::vector<int>& sockets);

  std::string name_;
  Device device_;
  std::vector<Ethdev> ethdevs_;
  std::vector<QueueEnd> ends_;    // by logical queue
  std::vector<int> xsk_sockets_;  // AF_XDP: the PMD's, borrowed to read their statistics
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_H_
