// SPDX-License-Identifier: BSD-3-Clause
// The splicer: the listener, the targets and the workers. The control thread owns it. The workers'
// threads serve the connections.

#ifndef TWINPATH_SPLICE_SPLICER_H_
#define TWINPATH_SPLICE_SPLICER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/engine/path.h"
#include "src/splice/options.h"
#include "src/splice/worker.h"
#include "src/telemetry/snapshot.h"

namespace twinpath::splice {

// The number of descriptors that `connections` need at most, without the process's own.
uint64_t DescriptorsFor(uint64_t connections, Mode mode);

// Raises the soft limit of descriptors (RLIMIT_NOFILE) to the need of `options`. If the hard limit
// is too low and `may_lower` is true, lowers options->max_connections to the limit. Otherwise
// returns FailedPrecondition, which names the need, the limit and how to raise it.
absl::Status FitDescriptors(SplicerOptions* options, bool may_lower);

class Splicer : public Path {
 public:
  // Starts to listen and to serve. InvalidArgument and FailedPrecondition name the wrong option or
  // address; PermissionDenied names the capabilities that mode sockmap lacks. `log` receives a line
  // for each failure that the user should know, from any worker's thread, one at a time.
  static absl::StatusOr<std::unique_ptr<Splicer>> Create(
      SplicerOptions options, std::function<void(const std::string&)> log);
  ~Splicer() override;

  // Refuses new clients. Open connections continue.
  void Drain();
  // Resets open connections and ends the workers. Keeps the counters.
  absl::Status Stop() override;

  // There is nothing to watch.
  void Watch(Clock::time_point) override {}

  // Wakes the workers, so that each one that is not stalled completes a turn of its loop. Returns
  // how many turns each has completed. Any thread, before Stop.
  std::vector<uint64_t> Progress() override;

  // Connections open now. Any thread.
  uint32_t open() const { return shared_.open; }
  Mode mode() const { return shared_.mode; }
  // Why that mode was chosen.
  const std::string& why() const { return why_; }
  // The address on which it listens, with the port that the kernel chose if --listen has port 0.
  const std::string& address() const { return address_; }

  // Any thread.
  Snapshot TakeSnapshot() const override;

 private:
  Splicer(SplicerOptions options, Mode mode, std::string why, FileDescriptor listener,
          std::function<void(const std::string&)> log);

  const SplicerOptions options_;
  const std::string why_;
  const FileDescriptor listener_;
  const std::string address_;
  RateLimitedLog log_;
  Targets targets_;
  SharedState shared_;
  const Clock::time_point started_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_SPLICER_H_
