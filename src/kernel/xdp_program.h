// SPDX-License-Identifier: BSD-3-Clause
// What XDP program an interface carries, and taking one off, by rtnetlink: the AF_XDP PMD's libxdp
// attaches without leaving a handle. Any thread; no state.

#ifndef TWINPATH_KERNEL_XDP_PROGRAM_H_
#define TWINPATH_KERNEL_XDP_PROGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

struct XdpState {
  uint32_t program = 0;  // its id, the first of several; 0: none
  std::string mode;      // "native", "generic", "offloaded" or "several"; empty: no program
  std::vector<uint32_t> programs = {};  // the ids of all programs, one for each mode
};

absl::StatusOr<XdpState> ReadXdp(const std::string& interface);
// Of the interface with that index, whatever its name is now.
absl::StatusOr<XdpState> ReadXdp(uint32_t index);

// Detaches the program with id `program` from `interface`; another one stays.
absl::Status DetachXdp(const std::string& interface, uint32_t program);

// Attaches `program` to the interface with index `index`, in that mode, unless it carries one.
absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode);

// The program with id `program`, which lives as long as this is open; none (-1) where it is gone or
// may not be had.
FileDescriptor XdpProgram(uint32_t program);

// The name a program was loaded with; empty where it is gone or may not be asked.
std::string XdpProgramName(uint32_t program);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_XDP_PROGRAM_H_
