// SPDX-License-Identifier: BSD-3-Clause
// Decimal text -> threshold: golden values, the exact ends 0 and 1, and texts that are not rates.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

uint64_t ThresholdOf(const std::string& text) {
  absl::StatusOr<Probability> p = ParseProbability(text);
  EXPECT_TRUE(p.ok()) << text << ": " << p.status();
  if (!p.ok()) return 0;
  EXPECT_FALSE(p->never) << text;
  EXPECT_FALSE(p->always) << text;
  EXPECT_EQ(p->text, text);
  return p->threshold;
}

TEST(ProbabilityTest, ThresholdIsTheNearestIntegerTo2To64Times) {
  EXPECT_EQ(ThresholdOf("50%"), 9223372036854775808u);   // 2^63
  EXPECT_EQ(ThresholdOf("0.25"), 4611686018427387904u);  // 2^62
  EXPECT_EQ(ThresholdOf("90%"), 16602069666338596454u);  // 16602069666338596454.4
  EXPECT_EQ(ThresholdOf("10%"), 1844674407370955162u);   // 1844674407370955161.6
  EXPECT_EQ(ThresholdOf("1%"), 184467440737095516u);     // ...516.16
  EXPECT_EQ(ThresholdOf("1e-4"), 1844674407370955u);     // ...955.16
  EXPECT_EQ(ThresholdOf("1e-9"), 18446744074u);          // 18446744073.7
  EXPECT_EQ(ThresholdOf("0.3333333333333333333333"), 6148914691236517205u);  // a third
}

TEST(ProbabilityTest, PercentAndFractionAreTheSameThreshold) {
  const char* const pairs[][2] = {
      {"1%", "0.01"},      {"0.1%", "0.001"},    {"0.3%", "0.003"}, {"29%", "0.29"},
      {"5.8%", "0.058"},   {".7%", "0.007"},     {"7.%", "0.07"},   {"1e1%", "0.1"},
      {"100e-2%", "0.01"}, {"0.0001e2", "1E-2"}, {"1e+1%", "0.1"},  {"00.50", "5e-1"},
  };
  for (const auto& pair : pairs) EXPECT_EQ(ThresholdOf(pair[0]), ThresholdOf(pair[1])) << pair[0];
}

TEST(ProbabilityTest, ZeroIsExact) {
  for (const char* text : {"0", "0%", "0.0", "0.000%", "0e5", "0e-99999999999", "00"}) {
    absl::StatusOr<Probability> p = ParseProbability(text);
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_TRUE(p->never) << text;
    EXPECT_FALSE(p->always) << text;
    EXPECT_EQ(p->value, 0) << text;
  }
}

TEST(ProbabilityTest, OneIsExact) {
  for (const char* text : {"1", "100%", "1.0", "100.000%", "0.1e1", "1e2%", "10e-1", "001"}) {
    absl::StatusOr<Probability> p = ParseProbability(text);
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_TRUE(p->always) << text;
    EXPECT_FALSE(p->never) << text;
    EXPECT_EQ(p->value, 1) << text;
  }
}

TEST(ProbabilityTest, TheTiniestRateStillLoses) {
  for (const char* text : {"1e-20", "1e-30%", "1e-400", "1e-99999", "1e-99999999999999999999"}) {
    EXPECT_EQ(ThresholdOf(text), 1u) << text;
  }
}

TEST(ProbabilityTest, JustBelowOneStillSpares) {
  EXPECT_EQ(ThresholdOf("0.9999999999999999999999999"), UINT64_MAX);
  EXPECT_EQ(ThresholdOf("99.99999999999999999999999%"), UINT64_MAX);
}

TEST(ProbabilityTest, WhatIsNotARateSaysWhatIs) {
  for (const char* text : {"",
                           "abc",
                           "%",
                           "1%%",
                           "101%",
                           "1.1",
                           "-0.1",
                           "-1%",
                           "+1%",
                           "nan",
                           "NaN",
                           "inf",
                           "1e",
                           "1e+",
                           ".",
                           "e5",
                           "1 %",
                           " 1%",
                           "0x1",
                           "1,5%",
                           "1.0.0",
                           "2e0",
                           "1e99",
                           "0.5f",
                           "--1",
                           "1e1",
                           "1%1",
                           "100.1%",
                           "1e3%",
                           "50 percent",
                           "1.0000000000000000000000001",
                           "100.0000000000000000000001%",
                           "1e99999999999999999999"}) {
    absl::StatusOr<Probability> p = ParseProbability(text);
    ASSERT_FALSE(p.ok()) << text;
    EXPECT_EQ(p.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(p.status().message(),
              "found \"" + std::string(text) +
                  "\", allowed a fraction from 0 to 1 or a percentage from \"0%\" to \"100%\"");
  }
}

}  // namespace
}  // namespace twinpath
