// SPDX-License-Identifier: BSD-3-Clause
// A log-linear histogram of signed integers: exact below 32, else 32 buckets for each power of two,
// so that a percentile is at most 3.2 % too high. Pure; one thread.

#ifndef TWINPATH_TRAFFIC_RECEIVE_DISTRIBUTION_H_
#define TWINPATH_TRAFFIC_RECEIVE_DISTRIBUTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twinpath {

class Distribution {
 public:
  struct Bucket {
    int64_t low, high;  // inclusive
    uint64_t count;
  };

  void Add(int64_t value);

  uint64_t count() const { return count_; }
  int64_t min() const { return min_; }  // exact; 0 where nothing was added
  int64_t max() const { return max_; }  // exact
  double mean() const;                  // exact
  // The end of the bucket of the value that a `share` (0 to 1) of all values does not exceed; at
  // most max().
  int64_t Percentile(double share) const;
  // Those that are not empty, in ascending order.
  std::vector<Bucket> buckets() const;

 private:
  static constexpr int kLinear = 5;  // bits
  static size_t IndexOf(uint64_t magnitude);
  static uint64_t LowOf(size_t index);

  std::vector<uint64_t> positive_, negative_;  // by IndexOf
  uint64_t count_ = 0;
  int64_t min_ = 0, max_ = 0;
  double sum_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_RECEIVE_DISTRIBUTION_H_
