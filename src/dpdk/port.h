// SPDX-License-Identifier: BSD-3-Clause
// A logical port: the one or several ethdevs behind one DEVICE, as a list of queues. Control
// thread; the workers get its QueueEnds.

#ifndef TWINPATH_DPDK_PORT_H_
#define TWINPATH_DPDK_PORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/profile.h"
#include "src/dpdk/device.h"
#include "src/dpdk/ethdev.h"
#include "src/dpdk/interface_guard.h"
#include "src/dpdk/spread.h"
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
  // What of the profile's rss is not so, one line each.
  const std::vector<std::string>& rss_warnings() const { return rss_warnings_; }
  int node() const { return ethdevs_.front().node(); }
  std::string mac() const { return ethdevs_.front().mac(); }
  const QueueEnd& end(uint32_t queue) const { return ends_[queue]; }
  // AF_XDP: the sockets by which logical queue `queue` may get frames; empty: none of them tells.
  std::vector<int> sockets(uint32_t queue) const;
  bool link_up() const;

  // The port's part of a snapshot; counters of the device itself in `extra`. Any thread but one at
  // a time.
  PortSnapshot Describe() const;
  // One line for the log.
  std::string Summary() const;

 private:
  Port(std::string name, Device device) : name_(std::move(name)), device_(std::move(device)) {}
  void Protect(const Profile& profile, InterfaceGuard* guard);
  bool BySoftware(const Profile& profile) const;
  absl::Status SpreadBySoftware(const Profile& profile, rte_mempool* mempool);
  const RssState& rss() const;
  RssSnapshot DescribeRss() const;
  void ReadSocketMode();

  std::string name_;
  Device device_;
  std::vector<Ethdev> ethdevs_;
  std::unique_ptr<Spread> spread_;  // where software spreads
  std::vector<QueueEnd> ends_;      // by logical queue
  std::vector<std::string> rss_warnings_;
  // AF_XDP: the PMD's, by ethdev, borrowed to read their statistics and to wait for frames.
  std::vector<std::vector<int>> xsk_sockets_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_H_
