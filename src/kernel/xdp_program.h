// SPDX-License-Identifier: BSD-3-Clause
// The XDP programs of an interface, by rtnetlink, and what its driver does with such programs.
// Detaching goes by the program's id, because the AF_XDP PMD's libxdp attaches without leaving a
// handle. Any thread; no state.

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

// Interfaces are given by their numbers: their names may change.
absl::StatusOr<XdpState> ReadXdp(uint32_t index);

// Detaches the program with id `program` from the interface; leaves any other program.
absl::Status DetachXdp(uint32_t index, uint32_t program);

// Where twinpath-xdp --pin pins its links, each as "link" in a folder of its port.
inline constexpr char kXdpPins[] = "/sys/fs/bpf/twinpath";
// The shell command that takes the programs `state` off the interface with this number and name.
std::string XdpDetachCommand(uint32_t index, const std::string& name, const XdpState& state);

// Attaches `program` in `mode` to the interface, unless it has a program.
absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode);

// The driver's XDP features as linux/netdev.h (since 6.3) numbers them; nullopt: the kernel does
// not tell.
inline constexpr uint64_t kXdpBasic = 1;     // native mode
inline constexpr uint64_t kXdpXmit = 4;      // takes redirected frames
inline constexpr uint64_t kXdpZeroCopy = 8;  // of AF_XDP
std::optional<uint64_t> XdpFeatures(uint32_t index);

// Why the driver (its name; empty: unknown) refused native mode with this errno.
std::string NativeXdpRefusal(const std::string& driver, int error);
// Why the interface takes no programs in native mode, as far as the kernel tells without trying;
// empty: it takes them, or the kernel does not tell.
std::string NoNativeXdp(uint32_t index, const std::string& driver);
// Attaches an empty program in native mode, and detaches it at once, unless the interface has one.
// The errno with which the kernel refused; 0: none.
int TryNativeXdp(uint32_t index);

// A descriptor of the program with id `program`, which keeps it loaded. No descriptor where the
// program is gone or access is denied.
FileDescriptor OpenXdpProgram(uint32_t program);

// The program's name; empty where the program is gone or access is denied.
std::string XdpProgramName(uint32_t program);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_XDP_PROGRAM_H_
