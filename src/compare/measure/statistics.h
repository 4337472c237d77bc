// SPDX-License-Identifier: BSD-3-Clause
// Medians with intervals, and whether two sets of repetitions differ. No distribution is assumed,
// because throughput has none that is known. Pure functions; any thread.

#ifndef TWINPATH_COMPARE_MEASURE_STATISTICS_H_
#define TWINPATH_COMPARE_MEASURE_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace twinpath {

// A median, and the interval of order statistics around it (H. A. David, H. N. Nagaraja: "Order
// Statistics", 2003, section 7.1).
struct Estimate {
  double median = 0, low = 0, high = 0;
  double level = 0;  // the share of such intervals that hold the true median
  size_t count = 0;  // of values; 0: there is no estimate
};

// The narrowest symmetric interval whose level is at least 95 %. Fewer than six values have none:
// the interval is then from the least to the greatest, and `level` is what that gives (five values:
// 0.9375). The order of `values` does not matter.
Estimate MedianOf(std::vector<double> values);

// The two-sided p-value of the rank-sum test (F. Wilcoxon 1945; H. B. Mann, D. R. Whitney 1947) for
// two sets: how often sets of one source differ at least as much. Exact, also with ties. 1 where a
// set is empty.
double RankSumP(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_MEASURE_STATISTICS_H_
