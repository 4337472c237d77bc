// SPDX-License-Identifier: BSD-3-Clause
// The targets, used in turn. A target that could not be reached is skipped for a while, then tried
// again. Any thread; the class has its own lock.

#ifndef TWINPATH_SPLICE_CONNECT_TARGETS_H_
#define TWINPATH_SPLICE_CONNECT_TARGETS_H_

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "src/splice/connect/address.h"
#include "src/splice/snapshot.h"

namespace twinpath::splice {

using Clock = std::chrono::steady_clock;

class Targets {
 public:
  // At least one address. A target that failed is skipped for `retry`; 0: never skipped.
  Targets(std::vector<Address> addresses, std::chrono::milliseconds retry);

  size_t size() const { return addresses_.size(); }
  const Address& address(size_t index) const { return addresses_[index]; }

  // The order in which a new connection tries the targets: round robin, one step further with each
  // call. Targets that are down come last, so they are tried only if all others fail.
  std::vector<size_t> NextOrder(Clock::time_point now);

  void MarkReached(size_t index);
  // Returns whether the target was up before.
  bool MarkFailed(size_t index, Clock::time_point now);

  // One entry per target, in the order given: its state, connections made, failed attempts.
  std::vector<TargetSnapshot> Snapshot(Clock::time_point now) const;

 private:
  struct State {
    Clock::time_point down_until = Clock::time_point::min();
    bool down = false;
    uint64_t connections = 0, failures = 0;
  };

  const std::vector<Address> addresses_;
  const std::chrono::milliseconds retry_;
  mutable std::mutex mutex_;
  std::vector<State> states_;
  size_t next_ = 0;  // first target of the next order
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECT_TARGETS_H_
