// SPDX-License-Identifier: BSD-3-Clause
// Reads, attaches and detaches the XDP programs of an interface by rtnetlink, and reads the
// driver's XDP features. Detaching uses the program's id, because libxdp, which the AF_XDP PMD
// uses, leaves no handle. Any thread; no state.

#ifndef TWINPATH_KERNEL_XDP_PROGRAM_H_
#define TWINPATH_KERNEL_XDP_PROGRAM_H_

#include <cstdint>
#include <optional>
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

// Interfaces are given by index, because their names may change.
absl::StatusOr<XdpState> ReadXdp(uint32_t index);

// Detaches the program with id `program` from the interface. Keeps any other program.
absl::Status DetachXdp(uint32_t index, uint32_t program);

// The folder for the pins of twinpath-xdp --pin. Each port has a folder there with its "link".
inline constexpr char kXdpPins[] = "/sys/fs/bpf/twinpath";
// The shell command that detaches the programs `state` from the interface with this index and name.
std::string XdpDetachCommand(uint32_t index, const std::string& name, const XdpState& state);

// Attaches `program` in `mode` to the interface, unless it has a program.
absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode);

// The driver's XDP features: bits of linux/netdev.h. Nullopt if the kernel does not report them
// (before 6.3).
inline constexpr uint64_t kXdpBasic = 1;     // native mode
inline constexpr uint64_t kXdpXmit = 4;      // accepts redirected frames
inline constexpr uint64_t kXdpZeroCopy = 8;  // of AF_XDP
std::optional<uint64_t> XdpFeatures(uint32_t index);

// Explains why the driver refused native mode with this errno. `driver` may be empty: unknown.
std::string NativeXdpRefusal(const std::string& driver, int error);
// Explains why the interface does not support native mode, according to the driver's features.
// Empty: it does, or the kernel does not report them.
std::string NoNativeXdp(uint32_t index, const std::string& driver);
// Attaches an empty program in native mode and detaches it at once, unless the interface has a
// program. Returns the errno with which the kernel refused, or 0.
int TryNativeXdp(uint32_t index);

// Returns a descriptor of the program with id `program`, which keeps the program loaded. No
// descriptor if the program is gone or access is denied.
FileDescriptor OpenXdpProgram(uint32_t program);

// The program's name; empty if the program is gone or access is denied.
std::string XdpProgramName(uint32_t program);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_XDP_PROGRAM_H_
