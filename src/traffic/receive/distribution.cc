// SPDX-License-Identifier: BSD-3-Clause
// Indexes buckets by the leading bits of a value.

#include "src/traffic/receive/distribution.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace twinpath {

size_t Distribution::IndexOf(uint64_t magnitude) {
  const int width = std::bit_width(magnitude);
  if (width <= kLinear) return magnitude;
  const int shift = width - kLinear - 1;  // leaves a leading 1 and kLinear bits
  return (static_cast<size_t>(shift) << kLinear) + (magnitude >> shift);
}

uint64_t Distribution::LowOf(size_t index) {
  if (index < size_t{2} << kLinear) return index;
  const size_t shift = (index >> kLinear) - 1;
  return (index - (shift << kLinear)) << shift;
}

void Distribution::Add(int64_t value) {
  std::vector<uint64_t>& side = value < 0 ? negative_ : positive_;
  const size_t index = IndexOf(value < 0 ? uint64_t{0} - static_cast<uint64_t>(value)
                                         : static_cast<uint64_t>(value));
  if (side.size() <= index) side.resize(index + 1);
  side[index]++;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_++;
  sum_ += static_cast<double>(value);
}

double Distribution::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::vector<Distribution::Bucket> Distribution::buckets() const {
  std::vector<Bucket> buckets;
  for (size_t i = negative_.size(); i-- > 0;) {
    if (negative_[i] == 0) continue;
    buckets.push_back(
        {-static_cast<int64_t>(LowOf(i + 1) - 1), -static_cast<int64_t>(LowOf(i)), negative_[i]});
  }
  for (size_t i = 0; i < positive_.size(); i++) {
    if (positive_[i] == 0) continue;
    buckets.push_back(
        {static_cast<int64_t>(LowOf(i)), static_cast<int64_t>(LowOf(i + 1) - 1), positive_[i]});
  }
  return buckets;
}

int64_t Distribution::Percentile(double share) const {
  const double wanted = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  uint64_t below = 0;
  for (const Bucket& bucket : buckets()) {
    below += bucket.count;
    if (static_cast<double>(below) >= wanted) return std::min(bucket.high, max_);
  }
  return max_;
}

}  // namespace twinpath
