// SPDX-License-Identifier: BSD-3-Clause
// The search for throughput as RFC 2544, section 26.1, defines it: the highest rate at which an
// engine loses no packet that it should not lose, or at most a tolerated share of them. Pure; one
// thread.
//
//   ThroughputSearch search({});
//   while (const std::optional<double> rate = search.Next()) {
//     ... send at *rate, kMaxRate: as fast as the generator can ...
//     search.Add({.rate = sent per second, .received = ..., .passed = ...});
//   }

#ifndef TWINPATH_COMPARE_MEASURE_SEARCH_H_
#define TWINPATH_COMPARE_MEASURE_SEARCH_H_

#include <cstdint>
#include <optional>

namespace twinpath {

inline constexpr double kMaxRate = 0;  // no rate: as fast as the generator can

struct SearchSettings {
  double resolution = 0.05;  // the search ends when the bounds are as near as this share
  double floor = 1000;       // packets a second below which nothing is looked for
  uint32_t most = 12;        // trials
};

// What a trial showed.
struct SearchStep {
  double rate = 0;      // packets a second that were really sent
  double received = 0;  // packets a second that came through, and those that were to be lost
  bool passed = false;  // unintended loss was tolerable
};

class ThroughputSearch {
 public:
  explicit ThroughputSearch(const SearchSettings& settings) : settings_(settings) {}

  // The rate of the next trial: kMaxRate for the first one; nullopt: the search has ended.
  std::optional<double> Next() const;
  void Add(const SearchStep& step);

  // The highest rate that passed; 0: none did.
  double throughput() const { return low_; }
  // The engine passed all that the generator could send: its own limit is higher.
  bool generator_limited() const { return limited_; }
  uint32_t trials() const { return trials_; }

 private:
  SearchSettings settings_;
  double low_ = 0, high_ = 0;  // passed, and failed
  double hint_ = 0;            // what came through at the maximum
  bool limited_ = false;
  uint32_t trials_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_MEASURE_SEARCH_H_
