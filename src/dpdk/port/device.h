// SPDX-License-Identifier: BSD-3-Clause
// DEVICE of --port NAME=DEVICE -> which PMD drives it, by which vdevs or PCI address, and why.
// Decided before EAL starts; touches nothing. Control thread.

#ifndef TWINPATH_DPDK_PORT_DEVICE_H_
#define TWINPATH_DPDK_PORT_DEVICE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/profile/profile.h"
#include "src/kernel/machine.h"

namespace twinpath {

struct Vdev {
  std::string name;       // "net_null0"
  std::string arguments;  // "rx_pcap=in.pcap,tx_pcap=out.pcap"
};

struct Device {
  enum class Kind { kPci, kAfXdp, kVdev };
  Kind kind = Kind::kVdev;
  std::string given;
  std::string pci;            // kPci
  std::string interface;      // kAfXdp, and what net_af_packet is on: the kernel's, which may go
  std::vector<Vdev> vdevs;    // kAfXdp: one, or one for each queue; kVdev: one
  bool vdev_a_queue = false;  // every vdev is one queue
  std::string mode;           // "native", "vdev"; kAfXdp: known once the sockets are bound
  std::string why;
  bool kernel_behind = true;         // what is passed has somewhere to go
  uint32_t mtu = 0;                  // kAfXdp: the interface's
  bool promiscuous_already = false;  // kAfXdp: the interface was so before
  uint32_t extra_mbufs = 0;          // that the PMD holds for itself, over all queues
  std::vector<std::string> warnings;
};

// Errors are InvalidArgument or FailedPrecondition, and name the port, what is wrong and the
// command that mends it.
absl::StatusOr<Device> ResolveDevice(const PortSpec& port, uint32_t queues, const Machine& machine);

// As far as memory goes by it, what the port's device will be once the machine is ready for it:
// also where ResolveDevice finds something missing.
Device ForeseeDevice(const PortSpec& port, uint32_t queues, const Machine& machine);

// The RX queues that an interface's driver has now.
uint32_t InterfaceQueues(const std::string& name, const Machine& machine);

// "net_pcap" of "net_pcap0".
std::string VdevDriver(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_DEVICE_H_
