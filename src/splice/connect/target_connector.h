// SPDX-License-Identifier: BSD-3-Clause
// Finds a target for one client: tries the targets one after the other, records which ones fail,
// and logs why. The caller owns the socket of the current attempt. The worker's thread.

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
  // `number` is the connection's number, for log lines. `context` and `client` must outlive this
  // object.
  TargetConnector(WorkerContext* context, uint64_t number, const Address& client)
      : context_(*context), number_(number), client_(client) {}

  // Starts to connect to the next target, and returns the socket. Nullopt if every target has
  // failed. The socket of the previous attempt must have been closed.
  std::optional<FileDescriptor> StartNext(Clock::time_point now);

  // Called when the attempt's socket has an event. Returns whether the socket is connected;
  // otherwise the attempt has failed.
  bool Finish(int fd, Clock::time_point now);

  // Called when the attempt has taken too long. It has failed.
  void TimedOut(Clock::time_point now);

  // The target that is tried now, or was tried last.
  const Address& target() const;

 private:
  // The cause of a failed attempt. A target is skipped for a while only if it is the cause.
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
