// SPDX-License-Identifier: BSD-3-Clause
// The targets, taken in turn; one that could not be reached is skipped for a while, then tried
// again. Shared by the workers.

#ifndef TWINPATH_SPLICE_TARGETS_H_
#define TWINPATH_SPLICE_TARGETS_H_

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "src/splice/address.h"
#include "src/telemetry/snapshot.h"

namespace twinpath::splice {

using Clock = std::chrono::steady_clock;

class Targets {
 public:
  // `retry`: how long one that failed is skipped. At least one address.
  Targets(std::vector<Address> addresses, std::chrono::milliseconds retry);

  size_t size() const { return addresses_.size(); }
  const Address& address(size_t index) const { return addresses_[index]; }

  // The order in which a new connection tries the targets: in turn from the one whose turn it is;
  // those that are down come last, for where all are.
  std::vector<size_t> Order(Clock::time_point now);

  void Reached(size_t index);
  // True where it was up until now.
  bool Failed(size_t index, Clock::time_point now);

  // By target, as given: up or down, connections made, attempts that failed.
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
  size_t turn_ = 0;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_TARGETS_H_
