// SPDX-License-Identifier: BSD-3-Clause
// DPDK's environment abstraction layer (EAL); one per process. Control thread.

#ifndef TWINPATH_DPDK_EAL_EAL_H_
#define TWINPATH_DPDK_EAL_EAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/dpdk/eal/file_prefix_lock.h"

namespace twinpath {

// How to start EAL. The preflight checks it first.
struct EalPlan {
  std::vector<std::string> arguments;  // without the program's name
  std::string file_prefix;
  bool hugepages = true;       // false: --no-huge
  bool private_memory = true;  // --in-memory or --no-huge: no file, no other process
  bool quiet = true;           // no --log-level was given
  uint64_t memory_bytes = 0;   // --no-huge: the value of -m
};

struct EalRequest {
  std::vector<uint32_t> lcores;        // the first is the main lcore; not empty
  std::vector<std::string> pci;        // addresses of the ports' NICs
  std::vector<std::string> arguments;  // those of the user; they come last
  std::string file_prefix = "twinpath-dpdk";
  uint64_t memory_bytes = 0;  // needed; becomes -m with --no-huge, unless the user gives -m
  bool telemetry = true;
};

// Computes EAL's arguments; changes nothing. Memory is private to the process (--in-memory) unless
// the arguments ask for shared memory, so that no hugepage stays in use however the program ends.
// InvalidArgument: an argument contradicts --lcores, or the file prefix is not a file name.
absl::StatusOr<EalPlan> PlanEal(const EalRequest& request);

class Eal {
 public:
  // Starts EAL. The calling thread becomes the main lcore and stays on its CPU. An error ends with
  // EAL's last log line. A process can start EAL only once, even after the Eal is destroyed. Takes
  // ownership of `instance`.
  static absl::StatusOr<Eal> Create(const EalPlan& plan, FilePrefixLock instance);
  ~Eal();
  Eal(Eal&& other) noexcept = default;
  Eal& operator=(Eal&&) = delete;

  // Whether the kernel frees all memory when the process ends.
  bool private_memory() const { return private_memory_; }

 private:
  Eal(bool private_memory, FilePrefixLock instance)
      : private_memory_(private_memory), instance_(std::move(instance)) {}
  bool private_memory_;
  FilePrefixLock instance_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_EAL_H_
