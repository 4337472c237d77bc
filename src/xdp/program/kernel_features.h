// SPDX-License-Identifier: BSD-3-Clause
// What the running kernel and its drivers offer, asked without touching any interface: for twinpath
// doctor. Any thread.

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

// Program and map types that the programs need, by trying each. Takes CAP_BPF: without, all seem to
// lack.
std::vector<KernelFeature> ProbeBpfFeatures();

// Whether the kernel has AF_XDP; nothing where this process may not ask (no CAP_NET_RAW).
std::optional<bool> KernelHasAfXdp();

// Makes the maps of a policy that passes everything, loads the program for one port, and lets both
// go again. Takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. The error says what the kernel said.
absl::Status TryXdpProgram();

struct DriverXdp {
  std::optional<bool> native, zero_copy;  // nothing: the kernel does not tell (before 6.3)
};
// What the driver of interface `name` tells of its XDP features.
DriverXdp DriverXdpOf(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_KERNEL_FEATURES_H_
