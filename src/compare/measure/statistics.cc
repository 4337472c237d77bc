// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace twinpath {
namespace {

constexpr double kLevel = 0.95;

// The probability that at most `k` of `n` fair coins show heads.
double CoinsUpTo(size_t k, size_t n) {
  double term = std::pow(0.5, static_cast<double>(n)), sum = 0;
  for (size_t i = 0; i <= k; i++) {
    sum += term;
    term *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return sum;
}

// Twice the rank of each value; equal values share the mean of their ranks.
std::vector<uint32_t> DoubledRanks(const std::vector<double>& sorted) {
  std::vector<uint32_t> ranks(sorted.size());
  for (size_t i = 0; i < sorted.size();) {
    size_t end = i;
    while (end < sorted.size() && sorted[end] == sorted[i]) end++;
    for (size_t j = i; j < end; j++) ranks[j] = static_cast<uint32_t>(i + 1 + end);
    i = end;
  }
  return ranks;
}

// How many subsets of `take` ranks have each sum.
std::vector<double> SubsetsBySum(const std::vector<uint32_t>& ranks, size_t take) {
  uint32_t total = 0;
  for (uint32_t rank : ranks) total += rank;
  std::vector<std::vector<double>> counts(take + 1, std::vector<double>(total + 1));
  counts[0][0] = 1;
  for (uint32_t rank : ranks) {
    for (size_t taken = take; taken > 0; taken--) {
      for (uint32_t sum = total; sum >= rank; sum--)
        counts[taken][sum] += counts[taken - 1][sum - rank];
    }
  }
  return std::move(counts[take]);
}

}  // namespace

Estimate MedianOf(std::vector<double> values) {
  const size_t n = values.size();
  if (n == 0) return {};
  std::sort(values.begin(), values.end());
  Estimate estimate;
  estimate.count = n;
  estimate.median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  size_t outside = 0;  // values beyond each end
  while (2 * (outside + 1) < n && 1 - 2 * CoinsUpTo(outside + 1, n) >= kLevel) outside++;
  estimate.low = values[outside];
  estimate.high = values[n - 1 - outside];
  estimate.level = n == 1 ? 0 : 1 - 2 * CoinsUpTo(outside, n);
  return estimate;
}

double RankSumP(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<double> all(a);
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  const std::vector<uint32_t> ranks = DoubledRanks(all);
  uint32_t sum = 0, total = 0;
  for (double value : a) {
    const auto at = std::lower_bound(all.begin(), all.end(), value) - all.begin();
    sum += ranks[static_cast<size_t>(at)];
  }
  for (uint32_t rank : ranks) total += rank;
  const double middle =
      static_cast<double>(total) * static_cast<double>(a.size()) / static_cast<double>(all.size());
  const double away = std::abs(sum - middle);
  const std::vector<double> subsets = SubsetsBySum(ranks, a.size());
  double extreme = 0, every = 0;
  for (size_t s = 0; s < subsets.size(); s++) {
    every += subsets[s];
    if (std::abs(static_cast<double>(s) - middle) >= away - 1e-9) extreme += subsets[s];
  }
  return extreme / every;
}

}  // namespace twinpath
