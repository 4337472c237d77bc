// SPDX-License-Identifier: BSD-3-Clause
// Finds out what is missing before EAL starts; each error names the command that fixes it. Changes
// nothing. Control thread.

#ifndef TWINPATH_DPDK_EAL_PREFLIGHT_H_
#define TWINPATH_DPDK_EAL_PREFLIGHT_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/eal/eal.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/device.h"
#include "src/kernel/machine.h"

namespace twinpath {

// The plan that set-up follows.
struct Preflight {
  std::vector<uint32_t> lcores;
  std::vector<Device> devices;        // one for each of the profile's ports
  std::vector<ExceptionPath> kernel;  // by port; kNone: no exception port
  std::vector<bool> passes;           // by port: whether the policy passes any packet from it
  std::vector<bool> can_pass;         // by port: whether a later policy may pass packets from it
  MempoolSize mempool;
  EalPlan eal;
  std::set<int> nodes;        // NUMA nodes that get a mempool
  uint64_t memory_bytes = 0;  // needed on all nodes together
};

// A capability that a plan needs, and its purpose.
struct CapabilityNeed {
  int number = 0;  // linux/capability.h
  const char* name = "";
  const char* purpose = "";
};

// CheckBeforeEal without the checks of privileges and memory.
absl::StatusOr<Preflight> PlanStart(const Profile& profile, const CompiledPolicy& policy,
                                    const std::vector<std::string>& eal_arguments,
                                    const Machine& machine);

// The memory_bytes of PlanStart on a machine that is ready, also if this machine is not; 0 with
// --no-huge.
absl::StatusOr<uint64_t> ForeseeMemory(const Profile& profile, const CompiledPolicy& policy,
                                       const Machine& machine);

// The capabilities that the plan's devices and exception ports need; hugepages alone need none.
std::vector<CapabilityNeed> NeededCapabilities(const Preflight& plan);
// The bytes that the kernel counts against the memlock limit of a process without CAP_IPC_LOCK:
// AF_XDP umems, and memory that VFIO maps for a NIC.
uint64_t LockedBytes(const Preflight& plan);

// FailedPrecondition if /proc or /sys is not mounted: EAL reads CPUs, hugepages and mounts there,
// and aborts if it cannot.
absl::Status CheckMounts(const Machine& machine);

// Whether `policy` passes any packet that port `port` receives.
bool Passes(const CompiledPolicy& policy, size_t port);

// Checks everything that a start needs, and returns the plan. Errors are InvalidArgument or
// FailedPrecondition.
absl::StatusOr<Preflight> CheckBeforeEal(const Profile& profile, const CompiledPolicy& policy,
                                         const std::vector<std::string>& eal_arguments,
                                         const Machine& machine);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_PREFLIGHT_H_
