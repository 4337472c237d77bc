// SPDX-License-Identifier: BSD-3-Clause
// Names the counterpart of each option of dpdk-testpmd and EAL that a user may type out of habit.
// Pure functions. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_DPDK_TESTPMD_H_
#define TWINPATH_APPS_TWINPATH_DPDK_TESTPMD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

// Checks the words before and after "--". InvalidArgument: one is an option of testpmd, or one of
// EAL before "--"; the message says what to use here. The options of twinpath-dpdk itself, and all
// of EAL after "--", are no error.
absl::Status CheckTestpmdHabits(const std::vector<std::string>& own,
                                const std::vector<std::string>& eal);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_DPDK_TESTPMD_H_
