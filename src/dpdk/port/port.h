// SPDX-License-Identifier: BSD-3-Clause
// A logical port: the ethdevs of one DEVICE, as a list of queues. Control thread; the workers get
// its QueueEnds.

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
#include "src/dpdk/port/software_rss.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/quirks/xsk_sockets.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/kernel/link/link_setup.h"
#include "src/kernel/link/promiscuous.h"
#include "src/kernel/xdp_program.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class Port {
 public:
  Port(Port&&) = default;
  Port& operator=(Port&&) = default;
  ~Port() { CloseEthdevs(); }

  // Probes the device; EAL must run. `late`: the PCI device appeared after EAL started.
  static absl::StatusOr<Port> Open(const std::string& name, Device device, bool late = false);

  // Configures and starts the profile's queues, with mbufs from `mempool`. `one_mempool`: the run
  // has only this mempool. `guard` may be null.
  absl::Status Start(const Profile& profile, bool one_mempool, rte_mempool* mempool,
                     InterfaceGuard* guard);

  const std::string& name() const { return name_; }
  const Device& device() const { return device_; }
  // Parts of the profile's rss that the device does not follow, one line each.
  const std::vector<std::string>& rss_warnings() const { return rss_warnings_; }
  int node() const { return ethdevs_.front().node(); }
  std::string mac() const { return ethdevs_.front().mac(); }
  const QueueEnd& end(uint32_t queue) const { return ends_[queue]; }
  // AF_XDP: the sockets that may receive the frames of logical queue `queue`. Empty for other
  // devices.
  std::vector<int> sockets(uint32_t queue) const;
  const std::vector<QueueEnd>& ends() const { return ends_; }
  const rte_mempool* mempool() const { return mempool_; }
  // Frames that the device could not receive because no mbuf was free.
  uint64_t NoMbuf() const;

  // kLinkUp, kLinkDown or kLinkGone (src/kernel/link/link_setup.h). kLinkGone: the port's kernel
  // interface does not exist any more or was replaced, or the kernel asks for the PCI device back.
  std::string Link() const;
  // The interface or PCI address that may disappear; empty: the device cannot disappear.
  const std::string& Where() const { return device_.pci.empty() ? device_.interface : device_.pci; }
  // The index of the kernel interface whose frames the port takes from the kernel; 0: none.
  uint32_t TakesFrom() const;
  // The kernel interface that sends the port's frames; empty: none, and no frame is too long.
  const std::string& SendsBy() const { return device_.sends_by; }
  // Its MTU, in bytes. UpdateMtu asks the kernel, and lets the workers know.
  uint32_t mtu() const { return mtu_; }
  void UpdateMtu();
  // Reports changes to the port's kernel interface since the port was opened, as faults. Asks the
  // kernel.
  void SetSetupFaults(FaultLedger* ledger, FaultLedger::Clock::time_point now) const;
  // After Close: whether the device exists now. An interface counts if it was renamed, or if
  // another one has its old name; a PCI device counts if it has a driver.
  bool DeviceExists();
  // Closes a device that disappeared. No worker may use the port's ends any more. The port keeps
  // the device's counts.
  void Close();
  // AF_XDP: the program that the port's interface has instead of the port's own XDP program; id 0:
  // no program at all. Nullopt if the interface has the port's program, or if the kernel does not
  // report it. Asks the kernel.
  std::optional<XdpState> ForeignProgram() const;
  // After Close: the device that exists now, or why the port cannot use it. Opens nothing. Detaches
  // our own XDP program from an interface that comes back with it.
  absl::StatusOr<Device> FindAgain(const Profile& profile) const;
  // Opens and starts `device`. On an error the port stays closed.
  absl::Status Reopen(Device device, const Profile& profile, bool one_mempool,
                      InterfaceGuard* guard);

  // The port's part of a snapshot, with the device's own counters in `extra`. Any thread, one at a
  // time.
  PortSnapshot Describe() const;
  // One line for the log.
  std::string Summary() const;

 private:
  Port(std::string name, Device device) : name_(std::move(name)), device_(std::move(device)) {}
  // A device's counts, and the frames that it lost when it disappeared.
  struct DeviceCounts {
    uint64_t missed = 0, errors = 0, no_mbuf = 0, send_errors = 0;
    XskDrops xsk;
    uint64_t interface_dropped = 0;   // frames that the kernel dropped instead of sending them
    uint64_t unsent = 0, unread = 0;  // frames left in the rings of a device that disappeared
    uint64_t spread_full = 0;
  };

  absl::Status ReceiveAll(const Profile& profile, EthdevConfig* config);
  absl::Status StartEthdevs(const EthdevConfig& config, InterfaceGuard* guard);
  DeviceCounts CountsNow() const;
  void CloseEthdevs();
  void Protect(uint32_t interface, InterfaceGuard* guard);
  bool BySoftware(const Profile& profile) const;
  absl::Status SpreadBySoftware(const Profile& profile, rte_mempool* mempool);
  const RssState& rss() const;
  RssSnapshot DescribeRss() const;
  void ReadSocketMode();
  void LimitFrames();

  std::string name_;
  Device device_;
  std::vector<Ethdev> ethdevs_;
  std::unique_ptr<SoftwareRss> software_rss_;  // null: the device spreads frames
  std::vector<QueueEnd> ends_;                 // by logical queue
  std::vector<std::string> rss_warnings_;
  // AF_XDP: the PMD's sockets, by ethdev. The PMD owns them; the port reads their statistics and
  // waits for frames.
  std::vector<std::vector<int>> xsk_sockets_;
  std::vector<int> packet_sockets_;  // net_af_packet's, owned by the PMD; read to detect a loss
  uint32_t index_ = 0;               // of the kernel interface; 0: none
  Promiscuous promiscuous_;          // of device_.mac_filter
  uint32_t own_program_ = 0;         // AF_XDP: the id of the program that libxdp attached; 0: none
  int setup_retries_ = 8;            // AF_XDP frees the queues of a previous run late
  uint32_t sends_by_ = 0;            // the index of SendsBy(); 0: none
  uint32_t mtu_ = 0;                 // of SendsBy()
  std::unique_ptr<FrameLimits> limits_;  // of the ends_; null: none
  uint64_t dropped_before_ = 0;          // the interface's drops before the port used it
  rte_mempool* mempool_ = nullptr;
  DeviceCounts past_;  // of earlier devices that disappeared
  std::string driver_;
  LinkSetup opened_;  // the kernel interface when it was opened; rx_queues: at the first start
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_PORT_H_
