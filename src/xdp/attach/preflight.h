// SPDX-License-Identifier: BSD-3-Clause
// Checks before anything is attached: privileges, and the folder for pins. Only reads. Any thread.

#ifndef TWINPATH_XDP_ATTACH_PREFLIGHT_H_
#define TWINPATH_XDP_ATTACH_PREFLIGHT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace twinpath {

// PermissionDenied without CAP_NET_ADMIN and CAP_BPF. Names what is missing and how to get it.
absl::Status CheckXdpPrivileges();
// The same for a process with the capabilities in the mask `effective`.
absl::Status CheckXdpPrivileges(uint64_t effective);

// FailedPrecondition where /sys is not mounted: libbpf reads there which CPUs there can be.
absl::Status CheckXdpMounts();

// The folder under which port `port`'s link and maps are pinned: its name, with a colon, which no
// port's name has, for every dot, which a bpffs does not allow.
std::string PinFolder(const std::string& port);

// FailedPrecondition if no bpffs is mounted at /sys/fs/bpf (with the command that mounts it), or if
// `port` already has pins.
absl::Status CheckPins(const std::string& port);

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_PREFLIGHT_H_
