// SPDX-License-Identifier: BSD-3-Clause
// A logical port: the one or several ethdevs behind one DEVICE, as a list of queues. Control
// thread; the workers get its QueueEnds.

#ifndef TWINPATH_DPDK_PORT_PORT_H_
#define TWINPATH_DPDK_PORT_PORT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/port/device.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/port/software_rss.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/kernel/xdp_program.h"
#include "src/dpdk/quirks/xsk_sockets.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class Port {
 public:
  Port(Port&&) = default;
  Port& operator=(Port&&) = default;
  ~Port() { CloseEthdevs(); }

  // Probes the device. EAL runs; a PCI device that is not `late` was there when EAL started.
  static absl::StatusOr<Port> Open(const std::string& name, Device device, bool late = false);

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
  const std::vector<QueueEnd>& ends() const { return ends_; }
  const rte_mempool* mempool() const { return mempool_; }
  // Frames that the device could not receive for want of an mbuf.
  uint64_t NoMbuf() const { return CountsNow().no_mbuf; }

  // kLinkUp, kLinkDown, or kLinkGone (src/kernel/link_state.h) where the kernel interface that
  // the port is on is no more, or is not the one that it began with, or the kernel wants its PCI
  // device back.
  std::string Link() const;
  // The interface, or the PCI address, that may go; empty of a device that does not.
  const std::string& Where() const { return device_.pci.empty() ? device_.interface : device_.pci; }
  // Whether an interface of that name, or a PCI device with a driver, is there (again).
  bool DeviceThere() const;
  // Lets go of a device that is gone. No worker may use the port's ends any more. What its device
  // counted stays counted.
  void Close();
  // AF_XDP: what its interface, or another one that has the number now, carries instead of the XDP
  // program that brings the port its frames: another one, or none (id 0). Nothing where it carries
  // that, or cannot be asked. Asks the kernel.
  std::optional<XdpState> CarriesInstead() const;
  // After Close, the device that is there now, or why it cannot be taken. Costs nothing; an
  // interface that comes back with our own XDP program is freed of it.
  absl::StatusOr<Device> FindAgain(const Profile& profile) const;
  // Takes it: as Open and Start did. On an error the port is closed as before.
  absl::Status Reopen(Device device, const Profile& profile, bool one_mempool,
                      InterfaceGuard* guard);

  // The port's part of a snapshot; counters of the device itself in `extra`. Any thread but one at
  // a time.
  PortSnapshot Describe() const;
  // One line for the log.
  std::string Summary() const;

 private:
  Port(std::string name, Device device) : name_(std::move(name)), device_(std::move(device)) {}
  // What a device counted, and what became of its frames when it went.
  struct DeviceCounts {
    uint64_t missed = 0, errors = 0, no_mbuf = 0, send_errors = 0;
    XskDrops xsk;
    uint64_t interface_dropped = 0;   // of those to be sent, by the kernel
    uint64_t unsent = 0, unread = 0;  // left in the rings of what is gone
    uint64_t spread_full = 0;
  };

  absl::Status StartEthdevs(const Profile& profile, const EthdevConfig& config,
                            InterfaceGuard* guard);
  DeviceCounts CountsNow() const;
  void CloseEthdevs();
  void Protect(const Profile& profile, InterfaceGuard* guard);
  bool BySoftware(const Profile& profile) const;
  absl::Status SpreadBySoftware(const Profile& profile, rte_mempool* mempool);
  const RssState& rss() const;
  RssSnapshot DescribeRss() const;
  void ReadSocketMode();

  std::string name_;
  Device device_;
  std::vector<Ethdev> ethdevs_;
  std::unique_ptr<SoftwareRss> software_rss_;  // where software spreads
  std::vector<QueueEnd> ends_;                 // by logical queue
  std::vector<std::string> rss_warnings_;
  // AF_XDP: the PMD's, by ethdev, borrowed to read their statistics and to wait for frames.
  std::vector<std::vector<int>> xsk_sockets_;
  std::vector<int> packet_sockets_;  // net_af_packet's, borrowed to see whether they are bound
  uint32_t index_ = 0;               // of the kernel interface; 0: none
  uint32_t own_program_ = 0;         // AF_XDP: the id of what libxdp attached for us; 0: nothing
  int setup_retries_ = 8;            // AF_XDP lets go of a queue late, but of a new interface
  uint64_t dropped_before_ = 0;      // by the interface, before it was ours
  rte_mempool* mempool_ = nullptr;
  DeviceCounts past_;  // of devices that went
  std::string driver_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_PORT_H_
