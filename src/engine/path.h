// SPDX-License-Identifier: BSD-3-Clause
// The interface of a running datapath for its program: the main loop (apps/run.h) and the reloader
// (apps/policy_reloader.h). Control plane only: nothing here is called per packet.

#ifndef TWINPATH_ENGINE_PATH_H_
#define TWINPATH_ENGINE_PATH_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// A datapath that runs until it is stopped, and counts.
class Path {
 public:
  using Clock = std::chrono::steady_clock;

  Path() = default;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  virtual ~Path() = default;

  // Looks for faults, link changes and devices that came back. The main loop's thread calls it a
  // few times a second.
  virtual void Watch(Clock::time_point now) = 0;
  // Whether the path has ended by itself because its work is done. Any thread.
  virtual bool HasEnded() const { return false; }
  // Returns a number for each worker that grows while the worker makes progress. The watchdog's
  // thread calls it while the main loop runs.
  virtual std::vector<uint64_t> Progress() = 0;
  // Any thread, at any time before destruction.
  virtual Snapshot TakeSnapshot() const = 0;
  // Ends the path. A second call does nothing.
  virtual absl::Status Stop() = 0;
};

// The state that a packet would find if it arrived now on one queue of a port. The lists have one
// element for each rule of the current policy, the default last.
struct PacketState {
  uint32_t queues = 0;                 // of the port
  uint64_t at_ns = 0;                  // since the path started
  bool completes = false;              // the port finishes unfinished checksums before it sends
  std::vector<uint64_t> matched;       // packets that the rule matched on this queue
  std::vector<uint64_t> flow_matched;  // of the packet's flow; 0 if the rule has no flows
  std::vector<uint64_t> age_ns;        // since the times of the rule's conditions began to count
};

// A datapath with a policy, which can be replaced while packets flow.
class PolicyPath : public Path {
 public:
  // Replaces the current policy by `policy`, which was compiled to `compiled` for the same ports in
  // the same order. A rule that is the same in both policies keeps its state
  // (src/config/compile/reload.h). Returns when the old policy decides no packet any more. Any
  // thread except the workers. An error changes nothing: FailedPrecondition if the path was not set
  // up for the policy, ResourceExhausted if there is no memory for its tables.
  virtual absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) = 0;
  // Counts a policy that was rejected before Reload. Any thread.
  virtual void CountRejected() = 0;
  // The file of the current policy; empty if it came from no file. Any thread.
  virtual std::string policy_file() const = 0;
  // Returns the state that `frame` would find. The current policy must not be replaced meanwhile.
  // InvalidArgument if the port has no such queue. Any thread except the workers.
  virtual absl::StatusOr<PacketState> StateFor(size_t port, uint32_t queue,
                                               absl::Span<const uint8_t> frame) const = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_PATH_H_
