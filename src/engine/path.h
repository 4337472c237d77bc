// SPDX-License-Identifier: BSD-3-Clause
// A running datapath as its program sees it: what the main loop (apps/run.h) and the reloader
// (apps/policy_reloader.h) ask of it. Control plane only: nothing here is called for a packet.

#ifndef TWINPATH_ENGINE_PATH_H_
#define TWINPATH_ENGINE_PATH_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// Something that runs until it is stopped, and that counts.
class Path {
 public:
  using Clock = std::chrono::steady_clock;

  Path() = default;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  virtual ~Path() = default;

  // Looks for faults, link changes and devices that are back; a few times a second, on the main
  // loop's thread.
  virtual void Watch(Clock::time_point now) = 0;
  // Whether the path ended by itself: it has done all that it was to do. Any thread.
  virtual bool HasEnded() const { return false; }
  // One number for each worker, which grows while the worker makes progress. The watchdog's thread,
  // while the main loop runs.
  virtual std::vector<uint64_t> Progress() = 0;
  // Any thread, at any time until destruction.
  virtual Snapshot TakeSnapshot() const = 0;
  // Ends the path. A second call does nothing.
  virtual absl::Status Stop() = 0;
};

// A datapath that runs a policy, which can be replaced while packets flow.
class PolicyPath : public Path {
 public:
  // Replaces the policy by `policy`, which was compiled to `compiled` for the same ports in the
  // same order. A rule that is the same in both policies keeps its state
  // (src/config/compile/reload.h). Any thread that carries no packets; returns when no packet is
  // decided by the old policy any more. On an error nothing has changed: FailedPrecondition for
  // what the path was not set up for, ResourceExhausted where there is no memory for the tables.
  virtual absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) = 0;
  // Counts a policy that was rejected before Reload. Any thread.
  virtual void CountRejected() = 0;
  // The file of the current policy; empty where there is none. Any thread.
  virtual std::string policy_file() const = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_PATH_H_
