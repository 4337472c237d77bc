// SPDX-License-Identifier: BSD-3-Clause
// Reads facts about the machine for twinpath doctor, besides src/kernel/machine.h: routes, CPUs,
// NUMA nodes, modules, mounts. Interfaces and routes come from the kernel. With a fake root
// everything comes from files, so that a test can fake any machine. Main thread.

#ifndef TWINPATH_DOCTOR_HOST_H_
#define TWINPATH_DOCTOR_HOST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/kernel/machine.h"

namespace twinpath {

struct NodeHugepages {
  int node = 0;
  HugepageSize size;
};

// The interface through which the user is logged in.
struct Login {
  std::string interface;
  std::string
      how;  // "you are logged in through it (from 192.0.2.7)", "it carries the default route"
};

class DoctorHost {
 public:
  // `root` is put before /sys, /proc and /dev. Empty on a real machine.
  explicit DoctorHost(std::string root = "") : root_(std::move(root)), machine_(root_) {}

  const Machine& machine() const { return machine_; }

  std::string KernelRelease() const;                // "6.1.0-28-amd64"
  bool HasModule(const std::string& module) const;  // loaded or built in
  bool Exists(const std::string& path) const;
  bool MayUse(const std::string& path) const;  // exists, and this user may read and write it
  // `path` if it exists, otherwise its nearest parent folder that exists.
  std::string Nearest(const std::string& path) const;
  // Why this process cannot create files in a folder, as errno's text; empty: it can.
  std::string WhyNotWritable(const std::string& folder) const;
  // Whether a file system of this type is mounted at `where` (empty: anywhere).
  bool Mounted(const std::string& type, const std::string& where = "") const;
  std::vector<NodeHugepages> HugepagesOfNodes() const;  // empty: the kernel has no NUMA support

  uint32_t IommuGroups() const;
  std::string IommuGroup(const std::string& pci) const;  // "14"; empty: none
  // A process that has `file` open: "4711 (testpmd)"; empty if this user can see none.
  std::string Holder(const std::string& file) const;
  bool UnsafeNoIommu() const;  // vfio may work without an IOMMU

  std::vector<std::string> Interfaces() const;  // without lo, sorted
  // A veth's other end. Nullopt if it is in another network namespace, or if `name` is not a veth.
  struct Peer {
    std::string name;
    uint32_t tx_queues;
  };
  std::optional<Peer> PeerOf(const std::string& name) const;
  std::vector<std::string> PciNics() const;  // addresses of Ethernet controllers, sorted
  // The interfaces through which the user may be connected: the one of the SSH session of this
  // process or an ancestor. Without such a session, those of the default routes.
  std::vector<Login> Logins() const;
  // Whether traffic of interface `login` goes through interface `name`: both are the same, or
  // `login` is a bridge, bond or VLAN on top of `name`.
  bool Carries(const std::string& name, const std::string& login) const;

  std::vector<uint32_t> IsolatedCpus() const;
  std::vector<uint32_t> OnlineCpus() const;
  std::string Governor(uint32_t cpu) const;            // empty: no frequency scaling here
  std::vector<uint32_t> Siblings(uint32_t cpu) const;  // CPUs of the same core, including `cpu`
  int CpuNode(uint32_t cpu) const;                     // NUMA node; -1: unknown
  std::vector<uint32_t> AllowedCpus() const;           // of this process

 private:
  struct Route {
    std::string interface;
    uint32_t bits;       // of the prefix
    std::string prefix;  // 16 bytes; IPv4 as ::ffff:a.b.c.d
    uint32_t table = kMainTable;
  };
  static constexpr uint32_t kMainTable = 254, kDefaultTable = 253;   // RT_TABLE_*
  static constexpr char kMapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";  // RFC 4291 2.5.5.2
  static constexpr uint32_t kMappedBits = 96;
  std::string Read(const std::string& path) const { return machine_.Read(path); }
  std::vector<uint32_t> CpuList(const std::string& path) const;
  // The routes of all tables, one for each next hop.
  std::vector<Route> Routes() const;
  static std::vector<Route> KernelRoutes();
  static void AddRoute(const void* message, size_t length, std::vector<Route>* routes);
  // The routes for packets to `address`: in each table those with the longest prefix.
  std::vector<Route> RoutesTo(const std::string& address) const;
  std::string SshClient() const;

  std::string root_;
  Machine machine_;
};

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_HOST_H_
