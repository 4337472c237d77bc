// SPDX-License-Identifier: BSD-3-Clause
// What XDP program an interface carries, and taking one off, by rtnetlink: the AF_XDP PMD's libxdp
// attaches without leaving a handle. Any thread; no state.

#ifndef TWINPATH_DPDK_XDP_STATE_H_
#define TWINPATH_DPDK_XDP_STATE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace twinpath {

struct XdpState {
  uint32_t program = 0;  // its id; 0: none
  std::string mode;      // "native", "generic" or "offloaded"; empty where there is none
};

absl::StatusOr<XdpState> ReadXdp(const std::string& interface);

// Detaches the program with id `program` from `interface`; another one stays.
absl::Status DetachXdp(const std::string& interface, uint32_t program);

// The name a program was loaded with; empty where it is gone or may not be asked.
std::string XdpProgramName(uint32_t program);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_XDP_STATE_H_
