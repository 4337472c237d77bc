// SPDX-License-Identifier: BSD-3-Clause
// The checks of twinpath doctor. Each checks one thing and appends what it found, what is needed
// and the fix. They read only a DoctorHost and the needs of a start. Main thread.

#ifndef TWINPATH_DOCTOR_CHECKS_H_
#define TWINPATH_DOCTOR_CHECKS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/config/profile/checksums.h"
#include "src/doctor/finding.h"
#include "src/doctor/host.h"

namespace twinpath {

// Facts about an interface that no file shows.
struct InterfaceFacts {
  std::string driver;       // ethtool's name of it
  std::string xdp_program;  // "name, id 7, native"; empty: none
  std::string xdp_detach;   // the command that detaches it
  bool guard_left =
      false;  // a killed twinpath-socket left the filters that keep frames from the stack
  uint32_t max_queues = 0;                // that the driver supports; 0: unknown
  std::optional<bool> native, zero_copy;  // nullopt: unknown
};

// The needs of a start.
struct DoctorNeeds {
  struct Nic {
    std::string port;            // of the profile; empty: there is no profile
    std::string pci, interface;  // one of them, or both
    bool native = false;         // driven by a PMD of DPDK; otherwise by AF_XDP or XDP
    uint32_t queues = 1;
    Checksums checksums = Checksums::kAuto;
  };
  struct Capability {
    int number;
    std::string name, purpose;
    Finding::Path path;
    bool required = true;  // false: the path starts without it
  };
  bool for_profile = false;
  // The command that starts the path. A fix may append options.
  std::string command = "twinpath-dpdk --port lan=net_null0 --port wan=net_null1";
  std::string program;             // the program's file; empty: none
  std::optional<uint64_t> rights;  // its capabilities, as a mask; nullopt: those of this process
  bool hugepages = true;           // false: --no-huge
  bool private_memory = true;      // needs no hugetlbfs
  std::optional<uint64_t> memory_bytes;  // on all nodes together; nullopt: unknown
  uint64_t locked_bytes = 0;             // counts against the memlock limit without CAP_IPC_LOCK
  std::vector<int> nodes = {0};
  std::vector<uint32_t> lcores;
  std::vector<Nic> nics;
  std::vector<Capability> capabilities;
  std::string runtime_folder;         // DPDK's folder for the program's file prefix
  bool exceptions = false;            // has exception ports: TAP or virtio-user
  std::vector<std::string> warnings;  // about virtual devices: "port lan: ..."
};

using InterfaceFactsOf = std::function<InterfaceFacts(const std::string& name)>;

void CheckKernel(const DoctorHost& host, Findings* findings);
// Whether /proc and /sys are mounted. Without them the other checks would be wrong.
bool CheckMounts(const DoctorHost& host, Findings* findings);
void CheckHugepages(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckHugetlbfs(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckRuntimeFolder(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckMemlock(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckCapabilities(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckBpffs(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckTun(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckIommu(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckNics(const DoctorHost& host, const DoctorNeeds& needs, const InterfaceFactsOf& facts,
               Findings* findings);
// Unfinished checksums: src/policy/egress/checksum.h.
void CheckChecksums(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
// Passes on needs.warnings.
void CheckVdevs(const DoctorNeeds& needs, Findings* findings);
void CheckLcores(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckGovernor(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckSiblings(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);

// "1", "1,3", "2-5": the inverse of ParseCpuList.
std::string CpuRange(const std::vector<uint32_t>& cpus);

// A command that adds `arguments` to the kernel's command line with Debian's GRUB and reboots.
// `what` is part of the file's name.
std::string KernelArguments(const std::string& what, const std::string& arguments);

// "58 MiB", "2 GiB": rounded up.
std::string Size(uint64_t bytes);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_CHECKS_H_
