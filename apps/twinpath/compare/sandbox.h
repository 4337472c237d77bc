// SPDX-License-Identifier: BSD-3-Clause
// Runs a function in a process with namespaces of its own for processes, mounts and, if wanted, the
// network. Whatever it makes there (interfaces, mounts, processes) disappears with it, also after a
// kill -9 of this program. A second process waits for the end of this one to give back hugepages
// and to remove the folder. Main thread, before there are others.

#ifndef TWINPATH_APPS_TWINPATH_COMPARE_SANDBOX_H_
#define TWINPATH_APPS_TWINPATH_COMPARE_SANDBOX_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "apps/signals.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

struct Sandbox {
  std::string folder;       // in memory, empty, for files of the run
  std::string huge_folder;  // a hugetlbfs; empty: the machine has no free pages
  FileDescriptor proc;      // /proc as it was outside
  int root = 0;             // this program's process, as `proc` numbers it
};

struct SandboxOptions {
  bool own_network = true;
  uint32_t hugepages = 0;  // of 2 MiB that are to be free
};

// Returns what `run` returned there. A signal that `signals` holds is passed on to it, and held
// there, too. PermissionDenied: what is needed.
absl::StatusOr<int> RunInSandbox(const SandboxOptions& options, const HeldSignals& signals,
                                 const std::function<int(Sandbox)>& run);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_COMPARE_SANDBOX_H_
