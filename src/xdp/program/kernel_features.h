// SPDX-License-Identifier: BSD-3-Clause
// Finds out what the running kernel and its drivers support, for twinpath doctor. Changes no
// interface. Any thread.

#ifndef TWINPATH_XDP_PROGRAM_KERNEL_FEATURES_H_
#define TWINPATH_XDP_PROGRAM_KERNEL_FEATURES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

struct KernelFeature {
  std::string name;  // "BPF_MAP_TYPE_DEVMAP"
  std::string for_what;
  bool there = false;
};

// Tries each program type and map type that the programs use. Needs CAP_BPF; without it, all types
// seem to be missing.
std::vector<KernelFeature> ProbeBpfFeatures();

// Whether the kernel has AF_XDP. nullopt if this process may not ask (no CAP_NET_RAW).
std::optional<bool> KernelHasAfXdp();

// Creates the maps of a policy that passes everything, loads the program for one port, and unloads
// both. Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. The error quotes the kernel.
absl::Status TryXdpProgram();

struct DriverXdp {
  std::optional<bool> native, zero_copy;  // nullopt: the kernel does not report it (before 6.3)
};
// The XDP features of the driver of interface `name`.
DriverXdp DriverXdpOf(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_KERNEL_FEATURES_H_
