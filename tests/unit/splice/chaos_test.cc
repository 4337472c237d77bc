// SPDX-License-Identifier: BSD-3-Clause
// Tests --refuse and --reset-after: the values that they accept, and the connections that they
// break.

#include "src/splice/chaos.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

namespace twinpath::splice {
namespace {

ChaosPlan Plan(uint64_t seed, const std::string& refuse, const std::string& reset_after = "") {
  ChaosPlan plan;
  plan.seed = seed;
  plan.refuse = *ParseProbability(refuse);
  if (!reset_after.empty()) plan.reset_after = *ParseResetAfter(reset_after);
  return plan;
}

TEST(Refuse, IsExactAtBothEnds) {
  for (uint64_t n = 0; n < 10000; n++) {
    EXPECT_FALSE(FateOf(Plan(n, "0"), n).refused);
    EXPECT_TRUE(FateOf(Plan(n, "100%"), n).refused);
  }
}

TEST(Refuse, HitsTheRateWithinBinomialBounds) {
  for (const double rate : {0.01, 0.3, 0.9}) {
    const ChaosPlan plan = Plan(7, std::to_string(rate));
    constexpr int kConnections = 100000;
    int refused = 0;
    for (uint64_t n = 0; n < kConnections; n++) refused += FateOf(plan, n).refused;
    EXPECT_LT(std::abs(refused - rate * kConnections),
              3.9 * std::sqrt(rate * (1 - rate) * kConnections))
        << rate;
  }
}

TEST(Refuse, DependsOnlyOnTheSeedAndTheNumber) {
  int same = 0;
  for (uint64_t n = 0; n < 1000; n++) {
    EXPECT_EQ(FateOf(Plan(1, "50%"), n).refused, FateOf(Plan(1, "50%", "5"), n).refused);
    same += FateOf(Plan(1, "50%"), n).refused == FateOf(Plan(2, "50%"), n).refused;
  }
  EXPECT_LT(std::abs(same - 500), 3.9 * std::sqrt(250.0));
}

TEST(Refuse, FatesOfSeed1AreGolden) {
  std::string fates;
  for (uint64_t n = 0; n < 32; n++) fates += FateOf(Plan(1, "50%"), n).refused ? 'x' : '.';
  EXPECT_EQ(fates, "x..xxxxx...xxxxx.xxxx...xx.x.x..");
}

TEST(ResetAfter, WithoutARangeIsTheSameForEveryConnection) {
  for (uint64_t n = 0; n < 100; n++) {
    EXPECT_EQ(FateOf(Plan(n, "0", "64K"), n).byte_limit, 65536u);
    EXPECT_FALSE(FateOf(Plan(n, "0", "64K"), n).lifetime.has_value());
    EXPECT_EQ(FateOf(Plan(n, "0", "1.5s"), n).lifetime, std::chrono::microseconds(1500000));
    EXPECT_EQ(FateOf(Plan(n, "0", "1.5s"), n).byte_limit, kNoByteLimit);
    EXPECT_EQ(FateOf(Plan(n, "0"), n).byte_limit, kNoByteLimit);
  }
}

TEST(ResetAfter, ARangeIsDrawnUniformlyIncludingBothEnds) {
  const ChaosPlan plan = Plan(3, "0", "10-19");
  int counts[10] = {};
  constexpr int kConnections = 20000;
  for (uint64_t n = 0; n < kConnections; n++) {
    const uint64_t bytes = FateOf(plan, n).byte_limit;
    ASSERT_GE(bytes, 10u);
    ASSERT_LE(bytes, 19u);
    counts[bytes - 10]++;
  }
  double chi_square = 0;
  for (const int count : counts)
    chi_square += std::pow(count - kConnections / 10.0, 2) / (kConnections / 10.0);
  EXPECT_LT(chi_square, 27.88);  // 9 degrees of freedom, p = 0.001
}

TEST(ResetAfter, DrawsFromTheLargestRange) {
  const ChaosPlan plan = Plan(3, "0", "1-1048576G");
  std::set<uint64_t> tops;
  for (uint64_t n = 0; n < 1000; n++) {
    ASSERT_LE(FateOf(plan, n).byte_limit, 1ULL << 50);
    tops.insert(FateOf(plan, n).byte_limit >> 46);
  }
  EXPECT_GE(tops.size(), 16u);
}

TEST(ResetAfter, ParsesBytesTimesAndRanges) {
  const auto is = [](const char* text, ResetAfter::Unit unit, uint64_t low, uint64_t high) {
    const auto parsed = ParseResetAfter(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->unit, unit) << text;
    EXPECT_EQ(parsed->low, low) << text;
    EXPECT_EQ(parsed->high, high) << text;
  };
  is("1", ResetAfter::Unit::kBytes, 1, 1);
  is("3M", ResetAfter::Unit::kBytes, 3 << 20, 3 << 20);
  is("1K-2G", ResetAfter::Unit::kBytes, 1024, 2ULL << 30);
  is("100ms", ResetAfter::Unit::kMicroseconds, 100000, 100000);
  is("1ms-1e6s", ResetAfter::Unit::kMicroseconds, 1000, 1000000000000);
}

TEST(ResetAfter, RefusesWrongText) {
  for (const char* text : {"",
                           "0",
                           "-1",
                           "1-",
                           "-",
                           "2-1",
                           "1K-5s",
                           "5s-1K",
                           "1T",
                           "K",
                           "s",
                           "ms",
                           "0.5ms",
                           "nans",
                           "1e7s",
                           "1.5",
                           "1.5K",
                           "1048577G",
                           "18446744073709551616",
                           "1K ",
                           " 1K",
                           "1-2-3",
                           "infs"}) {
    const auto parsed = ParseResetAfter(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(std::string(parsed.status().message()).find("--reset-after: found \""), 0u) << text;
  }
}

}  // namespace
}  // namespace twinpath::splice
