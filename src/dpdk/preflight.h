// SPDX-License-Identifier: BSD-3-Clause
// Everything that can be known to be missing before EAL starts, each told with the command that
// mends it. Touches nothing. Control thread.

#ifndef TWINPATH_DPDK_PREFLIGHT_H_
#define TWINPATH_DPDK_PREFLIGHT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile.h"
#include "src/config/profile.h"
#include "src/dpdk/device.h"
#include "src/dpdk/eal.h"
#include "src/dpdk/machine.h"
#include "src/dpdk/mempool.h"

namespace twinpath {

// What set-up goes by.
struct Preflight {
  std::vector<uint32_t> lcores;
  std::vector<Device> devices;        // one for each of the profile's ports
  std::vector<ExceptionPath> kernel;  // for each: kNone where none is to be made
  std::vector<bool> passes;           // for each: whether the policy can pass anything from it
  MempoolSize mempool;
  EalPlan eal;
};

// Errors are InvalidArgument or FailedPrecondition.
absl::StatusOr<Preflight> CheckBeforeEal(const Profile& profile, const CompiledPolicy& policy,
                                         const std::vector<std::string>& eal_arguments,
                                         const Machine& machine);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PREFLIGHT_H_
