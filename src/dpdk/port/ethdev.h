// SPDX-License-Identifier: BSD-3-Clause
// One ethdev from probe to close, for ports, exception ports and the replay. Control thread.

#ifndef TWINPATH_DPDK_PORT_ETHDEV_H_
#define TWINPATH_DPDK_PORT_ETHDEV_H_

#include <rte_ethdev.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/dpdk/port/device.h"
#include "src/dpdk/port/rss.h"
#include "src/dpdk/quirks/removal_notice.h"
#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

struct EthdevConfig {
  uint16_t queues = 1;  // RX and TX
  uint16_t rx_descriptors = 1024, tx_descriptors = 1024;
  uint32_t mtu = 1500;
  bool promiscuous = true;           // the PMD makes the device promiscuous
  bool promiscuous_already = false;  // the device is promiscuous and stays so
  RssSpec rss;
  bool one_mempool = false;  // all frames that this device sends come from one mempool
  rte_mempool* mempool = nullptr;
  bool interrupts = false;  // enable RX interrupts, if the PMD supports them, to wake a worker
  int setup_retries = 0;    // of the RX queues, with back-off: AF_XDP frees a queue late
};

class Ethdev {
 public:
  // Plugs a vdev, and unplugs it at the end.
  static absl::StatusOr<Ethdev> Plug(const Vdev& vdev);
  // Takes ownership of a vdev that another call created, and unplugs it at the end.
  static absl::StatusOr<Ethdev> Adopt(const std::string& vdev);
  // Takes the ethdev that EAL's probe created for a PCI address. Closes it at the end, and returns
  // the device to the kernel if the kernel asked for it.
  static absl::StatusOr<Ethdev> Find(const std::string& pci);
  // Probes a PCI device that appeared after EAL started. Returns it to the kernel at the end.
  static absl::StatusOr<Ethdev> Probe(const std::string& pci);

  ~Ethdev();
  Ethdev(Ethdev&& other) noexcept
      : port_(std::exchange(other.port_, kNone)),
        bus_(std::exchange(other.bus_, nullptr)),
        name_(std::move(other.name_)),
        removal_(std::move(other.removal_)),
        rss_(std::move(other.rss_)),
        longest_chain_(other.longest_chain_),
        promiscuous_(other.promiscuous_) {}
  Ethdev& operator=(Ethdev&&) = delete;

  // Configures queues, RSS as far as the PMD supports it, MTU and promiscuous mode, and starts the
  // device. An error names the call; if the device has too few queues, also how many it has.
  absl::Status Start(const EthdevConfig& config);

  uint16_t port() const { return port_; }
  rte_eth_dev_info info() const;
  std::string driver() const;
  std::string mac() const;  // "02:00:00:00:00:01"
  const RssState& rss() const { return rss_; }
  uint32_t longest_chain() const { return longest_chain_; }  // see QueueEnd
  int node() const;                                          // NUMA node; 0 if the PMD reports none
  // Whether the kernel has asked for the device back. False for a vdev.
  bool AskedBack() const { return removal_ != nullptr && removal_->came(); }

 private:
  static constexpr uint16_t kNone = UINT16_MAX;
  // `bus`: the bus to unplug the device from at the end; may be null.
  Ethdev(uint16_t port, const char* bus, std::string name)
      : port_(port), bus_(bus), name_(std::move(name)) {}
  static absl::StatusOr<Ethdev> OnPci(const std::string& pci, const char* bus);
  absl::Status Error(const char* call, int code) const;
  absl::Status SetUpQueues(const EthdevConfig& config, rte_eth_dev_info& info);

  uint16_t port_;
  const char* bus_;
  std::string name_;                        // on the bus
  std::unique_ptr<RemovalNotice> removal_;  // PCI
  RssState rss_;
  uint32_t longest_chain_ = kAnyLength;
  bool promiscuous_ = false;  // Start made it promiscuous; the destructor undoes that
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_ETHDEV_H_
