// SPDX-License-Identifier: BSD-3-Clause
// DPDK's environment abstraction layer, once in a process. Control thread.

#ifndef TWINPATH_DPDK_EAL_EAL_H_
#define TWINPATH_DPDK_EAL_EAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/dpdk/eal/file_prefix_lock.h"

namespace twinpath {

// How EAL is to be started. A preflight checks this first.
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
  std::vector<std::string> arguments;  // the user's; they come last
  std::string file_prefix = "twinpath-dpdk";
  uint64_t memory_bytes = 0;  // needed; the -m of --no-huge where the user gives none
  bool telemetry = true;
};

// Pure. Memory is private to the process (--in-memory) unless the arguments ask for shared memory,
// so that no hugepage stays in use however the program ends. InvalidArgument: an argument that
// contradicts --lcores.
absl::StatusOr<EalPlan> PlanEal(const EalRequest& request);

class Eal {
 public:
  // Starts EAL; the calling thread becomes the main lcore and stays on its CPU. The error ends with
  // EAL's last log line. A process can start EAL once, even after the Eal is destroyed. Owns
  // `instance`.
  static absl::StatusOr<Eal> Create(const EalPlan& plan, FilePrefixLock instance);
  ~Eal();
  Eal(Eal&& other) noexcept = default;
  Eal& operator=(Eal&&) = delete;

  // Whether all memory is freed with the process.
  bool private_memory() const { return private_memory_; }

 private:
  Eal(bool private_memory, FilePrefixLock instance)
      : private_memory_(private_memory), instance_(std::move(instance)) {}
  bool private_memory_;
  FilePrefixLock instance_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_EAL_H_
