// SPDX-License-Identifier: BSD-3-Clause
// Checks privileges and the folder for pins before anything is attached. Changes nothing. Any
// thread.

#ifndef TWINPATH_XDP_ATTACH_PREFLIGHT_H_
#define TWINPATH_XDP_ATTACH_PREFLIGHT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace twinpath {

// PermissionDenied without CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON. The message names the missing
// ones.
absl::Status CheckXdpPrivileges();
// CheckXdpPrivileges for a process with the capabilities in the mask `effective`.
absl::Status CheckXdpPrivileges(uint64_t effective);

// FailedPrecondition if /sys is not mounted: libbpf reads the number of possible CPUs there.
absl::Status CheckXdpMounts();

// The folder for the pins of port `port`: its link and maps. A bpffs allows no dots, so each dot of
// the port's name becomes a colon, which no port's name has.
std::string PinFolder(const std::string& port);

// FailedPrecondition if no bpffs is mounted at /sys/fs/bpf (with the command that mounts it), or if
// `port` already has pins.
absl::Status CheckPins(const std::string& port);

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_PREFLIGHT_H_
