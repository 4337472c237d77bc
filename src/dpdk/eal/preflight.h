// SPDX-License-Identifier: BSD-3-Clause
// Everything that can be known to be missing before EAL starts, each told with the command that
// mends it. Touches nothing. Control thread.

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
#include "src/dpdk/port/device.h"
#include "src/dpdk/eal/eal.h"
#include "src/kernel/machine.h"
#include "src/dpdk/eal/mempool.h"

namespace twinpath {

// What set-up goes by.
struct Preflight {
  std::vector<uint32_t> lcores;
  std::vector<Device> devices;        // one for each of the profile's ports
  std::vector<ExceptionPath> kernel;  // for each: kNone where none is to be made
  std::vector<bool> passes;           // for each: whether the policy can pass anything from it
  std::vector<bool> can_pass;         // for each: whether another policy may, as it is set up now
  MempoolSize mempool;
  EalPlan eal;
  std::set<int> nodes;        // NUMA nodes that get a mempool
  uint64_t memory_bytes = 0;  // that are going to be needed, over all nodes
};

// A capability that a plan takes, and what for.
struct CapabilityNeed {
  int number = 0;  // linux/capability.h
  const char* name = "";
  const char* purpose = "";
};

// As CheckBeforeEal, but without asking for privileges and memory.
absl::StatusOr<Preflight> PlanStart(const Profile& profile, const CompiledPolicy& policy,
                                    const std::vector<std::string>& eal_arguments,
                                    const Machine& machine);

// The memory_bytes that PlanStart would come to on a machine that is ready; 0 with --no-huge.
absl::StatusOr<uint64_t> ForeseeMemory(const Profile& profile, const CompiledPolicy& policy,
                                       const Machine& machine);

// What the plan's devices and exception ports take; hugepages alone take none.
std::vector<CapabilityNeed> NeededCapabilities(const Preflight& plan);
// Octets that the kernel counts against the memlock limit where CAP_IPC_LOCK is not there: AF_XDP
// umems and memory that VFIO maps for a NIC.
uint64_t LockedBytes(const Preflight& plan);

// Whether `policy` can pass anything that comes in by port `port`.
bool Passes(const CompiledPolicy& policy, size_t port);

// Errors are InvalidArgument or FailedPrecondition.
absl::StatusOr<Preflight> CheckBeforeEal(const Profile& profile, const CompiledPolicy& policy,
                                         const std::vector<std::string>& eal_arguments,
                                         const Machine& machine);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_PREFLIGHT_H_
