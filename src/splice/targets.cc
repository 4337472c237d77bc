// SPDX-License-Identifier: BSD-3-Clause
// Whose turn it is.

#include "src/splice/targets.h"

#include <utility>

namespace twinpath::splice {

Targets::Targets(std::vector<Address> addresses, std::chrono::milliseconds retry)
    : addresses_(std::move(addresses)), retry_(retry), states_(addresses_.size()) {}

std::vector<size_t> Targets::Order(Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<size_t> order, down;
  for (size_t i = 0; i < states_.size(); i++) {
    const size_t index = (turn_ + i) % states_.size();
    (states_[index].down && now < states_[index].down_until ? down : order).push_back(index);
  }
  order.insert(order.end(), down.begin(), down.end());
  // The next turn is behind the one that got this one: skipping a target doubles nobody's share.
  turn_ = (order.front() + 1) % states_.size();
  return order;
}

void Targets::Reached(size_t index) {
  const std::lock_guard<std::mutex> lock(mutex_);
  states_[index].down = false;
  states_[index].connections++;
}

bool Targets::Failed(size_t index, Clock::time_point now) {
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
