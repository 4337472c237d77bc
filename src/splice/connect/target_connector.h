// SPDX-License-Identifier: BSD-3-Clause
// Finds a target for one client: tries the targets one after the other, records which ones fail,
// and logs why. The caller owns the socket of the present attempt. The worker's thread.

#ifndef TWINPATH_SPLICE_CONNECT_TARGET_CONNECTOR_H_
#define TWINPATH_SPLICE_CONNECT_TARGET_CONNECTOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/kernel/file_descriptor.h"
#include "src/splice/worker_context.h"

namespace twinpath::splice {

class TargetConnector {
 public:
  // For connection `number` of `client`, as log lines name it. `context` and `client` must outlive
  // this.
  TargetConnector(WorkerContext* context, uint64_t number, const Address& client)
      : context_(*context), number_(number), client_(client) {}

  // Starts to connect to the next target, and returns the socket; nullopt: every target has failed.
  // The socket of the last attempt must have been closed.
  std::optional<FileDescriptor> StartNext(Clock::time_point now);

  // To be called when the attempt's socket has an event. Returns whether it is connected; if not,
  // the attempt has failed.
  bool Finish(int fd, Clock::time_point now);

  // The attempt took too long, and has failed.
  void TimedOut(Clock::time_point now);

  // The target that is tried now, or was tried last.
  const Address& target() const;

 private:
  // What is to blame for a failed attempt. A target is skipped for a while only if it is.
  enum class Fault { kTarget, kHost };
  void Fail(Fault fault, const std::string& reason, Clock::time_point now);
  void FailBy(int error, Clock::time_point now);

  WorkerContext& context_;
  const uint64_t number_;
  const Address& client_;
  std::vector<size_t> order_;  // of targets; empty before the first attempt
  size_t tried_ = 0;           // targets that have failed
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECT_TARGET_CONNECTOR_H_
