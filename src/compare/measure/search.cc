// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/measure/search.h"

#include <algorithm>

namespace twinpath {

std::optional<double> ThroughputSearch::Next() const {
  if (trials_ == 0) return kMaxRate;
  if (limited_ || trials_ >= settings_.most || high_ <= settings_.floor) return std::nullopt;
  if (high_ - low_ <= settings_.resolution * high_) return std::nullopt;
  // An overloaded engine often carries what it could carry without loss, so the first guess is
  // near that.
  if (trials_ == 1 && hint_ > settings_.floor && hint_ < high_) return hint_;
  return std::max(settings_.floor, (low_ + high_) / 2);
}

void ThroughputSearch::Add(const SearchStep& step) {
  trials_++;
  if (trials_ == 1) {
    limited_ = step.passed;
    hint_ = 0.95 * step.received;
  }
  if (step.passed) {
    low_ = std::max(low_, step.rate);
    high_ = std::max(high_, low_);  // a rate that failed before passes now
  } else if (trials_ == 1) {
    high_ = step.rate;
  } else {
    // A generator that missed its rate may have sent less than what passed before.
    high_ = std::max(low_, std::min(high_, step.rate));
  }
}

}  // namespace twinpath
