// SPDX-License-Identifier: BSD-3-Clause
// What twinpath doctor reads of a machine beside src/kernel/machine.h: routes, CPUs, NUMA nodes,
// modules, mounts. All of it files, so that a test can show it any machine. Main thread.

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

// By which interface the user is here.
struct Login {
  std::string interface;
  std::string how;  // "you are logged in by it (from 192.0.2.7)", "it carries the default route"
};

class DoctorHost {
 public:
  // `root` goes before /sys, /proc and /dev: empty on a real machine.
  explicit DoctorHost(std::string root = "") : root_(std::move(root)), machine_(root_) {}

  const Machine& machine() const { return machine_; }

  std::string KernelRelease() const;                // "6.1.0-28-amd64"
  bool HasModule(const std::string& module) const;  // loaded or built in
  bool Exists(const std::string& path) const;
  bool MayUse(const std::string& path) const;  // there, and to be read and written
  // The deepest of `path` and the folders that it is in that is there.
  std::string Nearest(const std::string& path) const;
  // Why this process cannot make files in a folder: what errno says; empty: it can.
  std::string WhyNotWritable(const std::string& folder) const;
  // The options of the first mount of this type; at `where`, if that is not empty.
  bool Mounted(const std::string& type, const std::string& where = "") const;
  std::vector<NodeHugepages> HugepagesOfNodes() const;  // empty: the kernel knows no nodes

  uint32_t IommuGroups() const;
  std::string IommuGroup(const std::string& pci) const;  // "14"; empty: none
  // A process that has `file` open, "4711 (testpmd)"; empty: none that this user may see.
  std::string Holder(const std::string& file) const;
  bool UnsafeNoIommu() const;  // vfio may do without

  std::vector<std::string> Interfaces() const;  // without lo, sorted
  // A veth's other end; nothing where it is in another network namespace, or no veth.
  struct Peer {
    std::string name;
    uint32_t tx_queues;
  };
  std::optional<Peer> PeerOf(const std::string& name) const;
  std::vector<std::string> PciNics() const;  // addresses of Ethernet controllers, sorted
  // Interfaces that the user's way here goes by: that of the SSH session, of this process or of one
  // it descends from, else those of the default routes.
  std::vector<Login> Logins() const;
  // Whether traffic of `login` goes through interface `name`: it is the same, or a bridge, bond or
  // VLAN on top of it.
  bool Carries(const std::string& name, const std::string& login) const;

  std::vector<uint32_t> IsolatedCpus() const;
  std::vector<uint32_t> OnlineCpus() const;
  std::string Governor(uint32_t cpu) const;            // empty: no frequency scaling here
  std::vector<uint32_t> Siblings(uint32_t cpu) const;  // of its core, itself included
  int CpuNode(uint32_t cpu) const;                     // NUMA node; -1: unknown
  std::vector<uint32_t> AllowedCpus() const;           // of this process

 private:
  struct Route {
    std::string interface;
    uint32_t bits;       // of the prefix
    std::string prefix;  // 16 octets; IPv4 as ::ffff:a.b.c.d
    uint32_t table = kMainTable;
  };
  static constexpr uint32_t kMainTable = 254, kDefaultTable = 253;   // RT_TABLE_*
  static constexpr char kMapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";  // RFC 4291 2.5.5.2
  static constexpr uint32_t kMappedBits = 96;
  std::string Read(const std::string& path) const { return machine_.Read(path); }
  std::vector<uint32_t> CpuList(const std::string& path) const;
  // Of all tables, one for each next hop; of a root that is not this machine's, those of its files.
  std::vector<Route> Routes() const;
  static std::vector<Route> KernelRoutes();
  static void AddRoute(const void* message, size_t length, std::vector<Route>* routes);
  // By which packets to `address` may leave: of each table, the routes of the longest prefix.
  std::vector<Route> RoutesTo(const std::string& address) const;
  std::string SshClient() const;

  std::string root_;
  Machine machine_;
};

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_HOST_H_
