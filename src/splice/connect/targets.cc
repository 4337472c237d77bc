// SPDX-License-Identifier: BSD-3-Clause
// Round robin over the targets that are up.

#include "src/splice/connect/targets.h"

#include <utility>

namespace twinpath::splice {

Targets::Targets(std::vector<Address> addresses, std::chrono::milliseconds retry)
    : addresses_(std::move(addresses)), retry_(retry), states_(addresses_.size()) {}

std::vector<size_t> Targets::NextOrder(Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<size_t> order, down;
  for (size_t i = 0; i < states_.size(); i++) {
    const size_t index = (next_ + i) % states_.size();
    (states_[index].down && now < states_[index].down_until ? down : order).push_back(index);
  }
  order.insert(order.end(), down.begin(), down.end());
  // The next order starts after the target used now. Starting after a skipped target would give its
  // neighbor two shares.
  next_ = (order.front() + 1) % states_.size();
  return order;
}

void Targets::MarkReached(size_t index) {
  const std::lock_guard<std::mutex> lock(mutex_);
  states_[index].down = false;
  states_[index].connections++;
}

bool Targets::MarkFailed(size_t index, Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  State& state = states_[index];
  state.failures++;
  state.down_until = now + retry_;
  return !std::exchange(state.down, true);
}

std::vector<TargetSnapshot> Targets::Snapshot(Clock::time_point now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<TargetSnapshot> targets;
  for (size_t i = 0; i < states_.size(); i++)
    targets.push_back({.address = addresses_[i].text(),
                       .state = !states_[i].down              ? "up"
                                : now < states_[i].down_until ? "down"
                                                              : "to be tried",
                       .connections = states_[i].connections,
                       .failures = states_[i].failures});
  return targets;
}

}  // namespace twinpath::splice
