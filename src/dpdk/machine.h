// SPDX-License-Identifier: BSD-3-Clause
// What the machine offers, as sysfs, procfs and the interfaces' ioctls tell it: read before EAL
// starts, changed by nothing here. Control thread.

#ifndef TWINPATH_DPDK_MACHINE_H_
#define TWINPATH_DPDK_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twinpath {

struct HugepageSize {
  uint64_t bytes = 0;  // of a page
  uint64_t total = 0, free = 0;
};

// How many channels (ethtool -l) an interface has now; 0 where its driver tells none.
struct Channels {
  uint32_t combined = 0;
  uint32_t rx = 0;
};

class Machine {
 public:
  // `root` goes before /sys and /proc: empty on a real machine.
  explicit Machine(std::string root = "") : root_(std::move(root)) {}

  bool InterfaceExists(const std::string& name) const;
  std::string InterfaceDriver(const std::string& name) const;  // "veth"; "unknown"
  uint32_t InterfaceRxQueues(const std::string& name) const;
  uint32_t InterfaceMtu(const std::string& name) const;    // octets; 0: unknown
  uint32_t InterfaceFlags(const std::string& name) const;  // IFF_*
  // The PCI address behind a kernel interface.
  std::optional<std::string> InterfacePci(const std::string& name) const;
  // The PCI address that a predictable interface name (systemd.net-naming-scheme(7): enp3s0f1,
  // ens3, eno1) stands for, whether or not the interface is there.
  std::optional<std::string> PredictedPci(const std::string& name) const;

  bool PciExists(const std::string& address) const;
  std::string PciDriver(const std::string& address) const;  // empty: bound to none
  std::vector<std::string> PciInterfaces(const std::string& address) const;
  int PciNode(const std::string& address) const;  // NUMA node; -1: unknown

  std::vector<HugepageSize> Hugepages() const;
  bool HugetlbfsMounted() const;
  // Whether this process has capability number `capability` (linux/capability.h).
  bool HasCapability(int capability) const;

 private:
  std::string Read(const std::string& path) const;
  std::string LinkName(const std::string& path) const;
  std::string root_;
};

// CPUs this thread may run on, in order.
std::vector<uint32_t> AllowedCpus();

Channels InterfaceChannels(const std::string& name);

// "3:0.0" or "0000:03:00.0" in its long form; none where it is not a PCI address.
std::optional<std::string> NormalPci(const std::string& text);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_MACHINE_H_
