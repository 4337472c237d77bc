// SPDX-License-Identifier: BSD-3-Clause
// Medians, intervals and the rank-sum test, beside values of tables.

#include "src/compare/measure/statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace twinpath {
namespace {

std::vector<double> UpTo(int n) {
  std::vector<double> values;
  for (int i = n; i >= 1; i--) values.push_back(i);
  return values;
}

TEST(MedianTest, NothingHasNoEstimate) { EXPECT_EQ(MedianOf({}).count, 0u); }

TEST(MedianTest, OneValueIsItsOwnIntervalWithoutALevel) {
  const Estimate e = MedianOf({7});
  EXPECT_EQ(e.median, 7);
  EXPECT_EQ(e.low, 7);
  EXPECT_EQ(e.high, 7);
  EXPECT_EQ(e.level, 0);
}

TEST(MedianTest, FewValuesGiveTheirRangeAndItsLevel) {
  const Estimate e = MedianOf(UpTo(5));
  EXPECT_EQ(e.median, 3);
  EXPECT_EQ(e.low, 1);
  EXPECT_EQ(e.high, 5);
  EXPECT_EQ(e.level, 0.9375);  // 1 - 2 / 2^5
}

// Conover, "Practical Nonparametric Statistics", table of the binomial: for n = 10, ranks 2 and 9.
TEST(MedianTest, TenValuesGiveTheSecondToTheNinth) {
  const Estimate e = MedianOf(UpTo(10));
  EXPECT_EQ(e.median, 5.5);
  EXPECT_EQ(e.low, 2);
  EXPECT_EQ(e.high, 9);
  EXPECT_EQ(e.level, 1 - 2 * 11 / 1024.0);
}

TEST(MedianTest, SixValuesAreTheFewestOfALevelOf95Percent) {
  const Estimate e = MedianOf(UpTo(6));
  EXPECT_EQ(e.low, 1);
  EXPECT_EQ(e.high, 6);
  EXPECT_EQ(e.level, 1 - 2 / 64.0);
}

TEST(RankSumTest, SeparateSetsOfFiveAreTwoOf252) {
  EXPECT_DOUBLE_EQ(RankSumP({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}), 2 / 252.0);
  EXPECT_DOUBLE_EQ(RankSumP({6, 7, 8, 9, 10}, {1, 2, 3, 4, 5}), 2 / 252.0);
}

TEST(RankSumTest, SetsOfThreeCannotDiffer) {
  EXPECT_DOUBLE_EQ(RankSumP({1, 2, 3}, {4, 5, 6}), 0.1);
}

TEST(RankSumTest, EqualSetsDoNotDiffer) {
  EXPECT_DOUBLE_EQ(RankSumP({1, 2, 3}, {1, 2, 3}), 1);
  EXPECT_DOUBLE_EQ(RankSumP({5, 5}, {5, 5}), 1);
}

// {1, 2} and {2, 3}: ranks 1, 2.5, 2.5, 4. Of the six pairs, sums 3.5, 3.5, 5, 5, 6.5, 6.5.
TEST(RankSumTest, TiesShareTheirRanks) { EXPECT_DOUBLE_EQ(RankSumP({1, 2}, {2, 3}), 4 / 6.0); }

TEST(RankSumTest, AnEmptySetSaysNothing) { EXPECT_EQ(RankSumP({}, {1, 2}), 1); }

}  // namespace
}  // namespace twinpath
