// SPDX-License-Identifier: BSD-3-Clause
// Reads facts about the machine: interfaces, PCI devices, hugepages, limits. Interfaces are those
// of the calling thread's network namespace; /sys may show another one. Control thread.

#ifndef TWINPATH_KERNEL_MACHINE_H_
#define TWINPATH_KERNEL_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twinpath {

struct HugepageSize {
  uint64_t bytes = 0;  // of a page
  uint64_t total = 0, free = 0;
};

// The folder in which libxdp, which the AF_XDP PMD uses, looks for its own programs. libxdp leaves
// the folder behind, accessible only to the user who created it.
inline constexpr char kLibxdpPins[] = "/sys/fs/bpf/xdp";

class Machine {
 public:
  // `root` is put before /sys and /proc. Empty on a real machine; otherwise all answers come from
  // files.
  explicit Machine(std::string root = "") : root_(std::move(root)) {}

  // The first line of a file; empty if it cannot be read.
  std::string Read(const std::string& path) const;

  bool InterfaceExists(const std::string& name) const;
  // The main name of an interface; `name` may be an alternative one (ip link property).
  std::string InterfaceName(const std::string& name) const;
  std::string InterfaceDriver(const std::string& name) const;  // "veth"; "unknown"
  // The number of RX queues in use according to sysfs. If /sys shows another network namespace, the
  // number of the driver's channels, at least 1. 0: there is no such interface.
  uint32_t InterfaceRxQueues(const std::string& name) const;
  uint32_t InterfaceMtu(const std::string& name) const;    // bytes; 0: unknown
  uint32_t InterfaceFlags(const std::string& name) const;  // IFF_*
  // The PCI address behind a kernel interface.
  std::optional<std::string> InterfacePci(const std::string& name) const;
  // The PCI address that a predictable interface name stands for (systemd.net-naming-scheme(7):
  // enp3s0f1, ens3, eno1), whether or not the interface exists.
  std::optional<std::string> PredictedPci(const std::string& name) const;

  bool PciExists(const std::string& address) const;
  std::string PciDriver(const std::string& address) const;  // empty: bound to none
  std::vector<std::string> PciInterfaces(const std::string& address) const;
  // Whether the device has a driver but no interface in this network namespace. The kernel may use
  // it in another one, such as the host's.
  bool PciServesElsewhere(const std::string& address) const;
  int PciNode(const std::string& address) const;  // NUMA node; -1: unknown

  // A shell command that binds a PCI device to vfio-pci. Uses driverctl if it is installed, so that
  // the binding survives a reboot. Empty if the device serves another network namespace, which
  // would lose its NIC.
  std::string BindCommand(const std::string& pci) const;

  // Whether `folder` is empty, like a mount point without its mount.
  bool IsEmpty(const std::string& folder) const;
  // " (on the host: /sys is read-only here)", to append to advice that writes to /sys; empty if
  // /sys can be written.
  std::string SysNote() const;
  std::vector<HugepageSize> Hugepages() const;
  std::vector<std::string> HugetlbfsFolders() const;  // where one is mounted
  // A hugetlbfs folder that this process may not open; empty: none. EAL fails on such a folder even
  // with private memory.
  std::string ClosedHugetlbfs() const;
  // Whether `path` is a folder that this process may not enter.
  bool Closed(const std::string& path) const;
  // Whether this process has capability number `capability` (linux/capability.h).
  bool HasCapability(int capability) const;
  // Makes HasCapability answer for a process with the capabilities in the mask `effective`.
  void AssumeCapabilities(uint64_t effective) { assumed_ = effective; }
  // The soft limit RLIMIT_MEMLOCK, in bytes; UINT64_MAX: no limit.
  uint64_t MemlockLimit() const;

 private:
  std::string LinkName(const std::string& path) const;
  std::string InterfaceFolder(const std::string& name) const;
  std::string root_;
  std::optional<uint64_t> assumed_;  // capabilities
};

// "/sys is empty, and WHO needs sysfs there: mount -t sysfs sysfs /sys"; `folder` is /sys or /proc.
std::string MountAdvice(const std::string& folder, const std::string& who);
// "sysfs" of "/sys", "proc" of "/proc".
std::string FileSystemOf(const std::string& folder);

// This process's effective capabilities, as a mask.
uint64_t EffectiveCapabilities();

// The CPUs that this thread may run on, in order.
std::vector<uint32_t> AllowedCpus();

// The long form of "3:0.0" or "0000:03:00.0"; nullopt if `text` is not a PCI address.
std::optional<std::string> NormalPci(const std::string& text);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_MACHINE_H_
