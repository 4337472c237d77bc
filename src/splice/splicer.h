// SPDX-License-Identifier: BSD-3-Clause
// The whole splicer: the listener, the targets and the workers. The control thread owns it; the
// workers serve the connections, and any thread may take a snapshot.

#ifndef TWINPATH_SPLICE_SPLICER_H_
#define TWINPATH_SPLICE_SPLICER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/splice/options.h"
#include "src/splice/worker.h"
#include "src/telemetry/snapshot.h"

namespace twinpath::splice {

// Descriptors that so many connections may take, with what the process has besides.
uint64_t DescriptorsFor(uint64_t connections, Mode mode);

// Raises the soft limit of descriptors (RLIMIT_NOFILE) to what `options` need, and so much of
// `options->max_connections` as fits where it may be `lowered`; else FailedPrecondition says what
// is needed, what there is, and how to raise it.
absl::Status FitDescriptors(SplicerOptions* options, bool lowered);

class Splicer {
 public:
  // Listens and serves from now on. InvalidArgument or FailedPrecondition name the option or the
  // address that is wrong; PermissionDenied says what mode sockmap lacks. `log` gets a line for
  // each failure that a person should know of.
  static absl::StatusOr<std::unique_ptr<Splicer>> Create(
      SplicerOptions options, std::function<void(const std::string&)> log);
  Splicer(const Splicer&) = delete;
  Splicer& operator=(const Splicer&) = delete;
  ~Splicer();

  // Accepts no more: clients are refused. Connections that are open go on.
  void Drain();
  // Resets what is open, and ends the workers. Counters stay.
  void End();

  // Of each worker, how often it has turned; wakes them all, so that those that live turn again.
  // Any thread, until End.
  std::vector<uint64_t> Nudge();

  // Connections open now.
  uint32_t open() const { return shared_.open; }
  Mode mode() const { return shared_.mode; }
  // Why that mode.
  const std::string& why() const { return why_; }
  // Where it listens: with the port that the kernel chose, if it was to choose.
  const std::string& address() const { return address_; }

  Snapshot TakeSnapshot() const;

 private:
  Splicer(SplicerOptions options, Mode mode, std::string why, FileDescriptor listener,
          std::function<void(const std::string&)> log);

  const SplicerOptions options_;
  const std::string why_;
  const FileDescriptor listener_;
  const std::string address_;
  Log log_;
  Targets targets_;
  Shared shared_;
  const Clock::time_point started_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_SPLICER_H_
