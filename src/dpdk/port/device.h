// SPDX-License-Identifier: BSD-3-Clause
// Finds the PMD for the DEVICE of --port NAME=DEVICE, with its vdevs or PCI address, and the reason
// for that choice. Runs before EAL starts; changes nothing. Control thread.

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
  std::string pci;         // kPci
  std::string interface;   // kAfXdp and net_af_packet: the kernel's interface, which may disappear
  std::string mac_filter;  // the kernel's interface that a PMD makes promiscuous by its flags
  std::string sends_by;    // the kernel's interface that sends the frames, within its MTU
  bool packet_socket = false;          // sends_by sends them for a packet socket
  uint32_t longest_sent = UINT32_MAX;  // the longest frame that the PMD sends, in bytes
  std::vector<Vdev> vdevs;             // kAfXdp: one, or one for each queue; kVdev: one
  bool vdev_a_queue = false;           // each vdev has one queue
  std::string mode;                    // "native", "vdev"; kAfXdp: set once the sockets are bound
  std::string why;                     // why this PMD and mode
  bool kernel_behind = true;           // passed packets may go to the kernel
  bool reads_capture = false;          // a net_pcap device that reads a file once
  bool endless = true;       // may receive frames at any time; false: none after its capture
  uint32_t mtu = 0;          // kAfXdp: the interface's MTU in bytes
  uint32_t extra_mbufs = 0;  // that the PMD keeps for itself, for all queues
  bool completes = false;    // finishes unfinished checksums of received frames
  std::vector<std::string> warnings;
};

// Errors are InvalidArgument or FailedPrecondition. They name the port, the fault and the command
// that fixes it.
absl::StatusOr<Device> ResolveDevice(const PortSpec& port, uint32_t queues, const Machine& machine);

// The device that the port will have once the machine is ready, as far as memory depends on it.
// Never fails: use it where ResolveDevice finds that something is missing.
Device ForeseeDevice(const PortSpec& port, uint32_t queues, const Machine& machine);

// The error message for an interface that does not support native XDP, for the reason `refusal`.
std::string NeedsNativeXdp(const std::string& interface, const std::string& refusal);

// Whether the AF_XDP PMD drives the device.
bool OnAfXdp(const Device& device);

// The index of the kernel interface that the AF_XDP PMD would use for this DEVICE, which is an
// interface or a vdev. 0: none.
uint32_t AfXdpInterface(const std::string& given);

// The number of RX queues that an interface has now.
uint32_t InterfaceQueues(const std::string& name, const Machine& machine);

// "net_pcap0" -> "net_pcap".
std::string VdevDriver(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_DEVICE_H_
