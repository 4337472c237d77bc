// SPDX-License-Identifier: BSD-3-Clause
// The checks of twinpath doctor: each looks at one thing and appends what it found, what is needed
// and what mends it. They read a DoctorHost and what is asked of it, and nothing else. Main thread.

#ifndef TWINPATH_DOCTOR_CHECKS_H_
#define TWINPATH_DOCTOR_CHECKS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/doctor/finding.h"
#include "src/doctor/host.h"

namespace twinpath {

// What no file tells of an interface.
struct InterfaceFacts {
  std::string driver;       // as ethtool names it
  std::string xdp_program;  // "name, id 7, native"; empty: none
  bool xdp_generic = false;
  uint32_t most_queues = 0;  // that the driver can be told to have; 0: it does not tell
  std::optional<bool> native, zero_copy;  // nothing: the kernel does not tell
};

// What a start takes.
struct DoctorNeeds {
  struct Nic {
    std::string port;            // of the profile; empty: looked at without one
    std::string pci, interface;  // one of them, or both
    bool native = false;         // to be driven by DPDK's own PMD; else by AF_XDP or XDP
    uint32_t queues = 1;
  };
  struct Capability {
    int number;
    std::string name, purpose;
    Finding::Path path;
  };
  bool for_profile = false;
  // What starts it; a mend may add to that.
  std::string command = "twinpath-dpdk --port lan=net_null0 --port wan=net_null1";
  std::string program;  // the file, where there is one
  std::optional<uint64_t>
      rights;                  // that it would have, a mask of capabilities; else this process's
  bool hugepages = true;       // false: --no-huge
  bool private_memory = true;  // no hugetlbfs
  std::optional<uint64_t> memory_bytes;  // over all nodes; nothing: could not be reckoned
  uint64_t locked_bytes = 0;             // against the memlock limit, without CAP_IPC_LOCK
  std::vector<int> nodes = {0};
  std::vector<uint32_t> lcores;
  std::vector<Nic> nics;
  std::vector<Capability> capabilities;
  std::string runtime_folder;  // DPDK's, of the program's file prefix
  bool exceptions = false;     // has ports to the kernel: TAP or virtio-user
};

using InterfaceFactsOf = std::function<InterfaceFacts(const std::string& name)>;

void CheckKernel(const DoctorHost& host, Findings* findings);
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
void CheckLcores(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckGovernor(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);
void CheckSiblings(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings);

// "1", "1,3", "2-5": the other way round of ParseCpuList.
std::string CpuRange(const std::vector<uint32_t>& cpus);

// The command that gives the kernel `arguments` from the next boot on, which it brings about. As
// Debian's GRUB has it; `what` names the file.
std::string KernelArguments(const std::string& what, const std::string& arguments);

// "58 MiB", "2 GiB": rounded up.
std::string Size(uint64_t bytes);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_CHECKS_H_
