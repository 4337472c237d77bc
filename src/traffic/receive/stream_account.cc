// SPDX-License-Identifier: BSD-3-Clause
// Keeps sets of numbers in rings and runs, so that memory is bounded.

#include "src/traffic/receive/stream_account.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/policy/random.h"

namespace twinpath {

NumberWindow::Added NumberWindow::Add(uint64_t number) {
  const uint64_t words = kWindow / 64;
  if (end_ > 0 && number / 64 + words <= (end_ - 1) / 64) return Added::kTooOld;
  if (number >= end_) {
    // The numbers between are not seen, nor those that the ring had in their place.
    const size_t needed = static_cast<size_t>(std::min(number / 64 + 1, words));
    if (bits_.size() < needed)
      bits_.resize(std::min<size_t>(words, std::max(needed, 2 * bits_.size())));
    const uint64_t from = (end_ + 63) / 64, to = number / 64;  // words that begin anew
    if (to >= from && to - from >= words) {
      std::fill(bits_.begin(), bits_.end(), 0);
    } else {
      for (uint64_t word = from; word <= to; word++) bits_[word % words] = 0;
    }
    end_ = number + 1;
  }
  uint64_t& word = bits_[number / 64 % words];
  const uint64_t bit = uint64_t{1} << (number % 64);
  if (word & bit) return Added::kAgain;
  word |= bit;
  return Added::kNew;
}

std::optional<uint64_t> ExtentFinder::Add(uint64_t number) {
  const uint64_t index = index_++;
  if (runs_.empty() || number >= runs_.back().number + runs_.back().length) {
    if (!runs_.empty() && number == runs_.back().number + runs_.back().length &&
        index == runs_.back().index + runs_.back().length) {
      runs_.back().length++;
      return 0;
    }
    runs_.push_back({number, index, 1});
    if (runs_.size() > kRuns) {
      runs_.pop_front();
      forgot_ = true;
    }
    return 0;
  }
  // The first run that ends above `number`, and in it the first number above.
  const auto run = std::partition_point(runs_.begin(), runs_.end(), [number](const Run& r) {
    return r.number + r.length - 1 <= number;
  });
  if (run == runs_.begin() && forgot_) return std::nullopt;
  const uint64_t into = run->number > number ? 0 : number + 1 - run->number;
  return index - (run->index + into);
}

void FlowOrder::Grow() {
  std::vector<Entry> old =
      std::exchange(table_, std::vector<Entry>(std::max<size_t>(1024, 2 * table_.size())));
  const size_t mask = table_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.next == 0) continue;
    size_t at = tp_mix(entry.flow) & mask;
    while (table_[at].next != 0) at = (at + 1) & mask;
    table_[at] = entry;
  }
}

FlowOrder::Order FlowOrder::Add(uint64_t flow, uint64_t number) {
  if (2 * flows_ >= table_.size() && flows_ < kMost) Grow();
  const size_t mask = table_.size() - 1;
  size_t at = tp_mix(flow) & mask;
  while (table_[at].next != 0 && table_[at].flow != flow) at = (at + 1) & mask;
  Entry& entry = table_[at];
  if (entry.next == 0) {
    if (flows_ == kMost) return Order::kUnknown;
    flows_++;
    entry = {flow, number + 1};
    return Order::kInOrder;
  }
  if (number < entry.next) return Order::kReordered;
  entry.next = number + 1;
  return Order::kInOrder;
}

void StreamAccount::Add(uint64_t number, uint64_t flow, int64_t transit) {
  const bool is_first = received_ + too_old_ == 0;
  switch (seen_.Add(number)) {
    case NumberWindow::Added::kAgain:
      duplicated_++;
      return;
    case NumberWindow::Added::kTooOld:
      too_old_++;
      return;
    case NumberWindow::Added::kNew:
      received_++;
  }
  if (is_first) first_ = number;
  highest_ = std::max(highest_, number);
  const std::optional<uint64_t> extent = finder_.Add(number);
  if (!extent.has_value()) {
    extents_unknown_++;
    reordered_++;
  } else if (*extent > 0) {
    extents_.Add(static_cast<int64_t>(*extent));
    reordered_++;
  }
  const FlowOrder::Order order = order_.Add(flow, number);
  if (order == FlowOrder::Order::kReordered) reordered_in_flow_++;
  if (order == FlowOrder::Order::kUnknown) flows_unknown_++;
  transit_.Add(transit);
  if (!is_first) {
    const int64_t variation = std::abs(transit - last_transit_);
    variation_.Add(variation);
    jitter_ += (static_cast<double>(variation) - jitter_) / 16;
    highest_jitter_ = std::max(highest_jitter_, jitter_);
  }
  last_transit_ = transit;
}

uint64_t StreamAccount::Lost(std::optional<uint64_t> sent) const {
  const uint64_t up_to = received_ == 0 ? 0 : highest_ + 1;
  return std::max(sent.value_or(up_to), up_to) - received_;
}

}  // namespace twinpath
