// SPDX-License-Identifier: BSD-3-Clause
// Compares the closed forms of the loss models with cases computed by hand, and with simulated
// chains in double precision.

#include "src/config/describe/loss_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

LossSpec Loss(const std::string& loss) {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat(R"({"version": 1, "default": {"loss": {)", loss, "}}}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? policy->fallback.loss : LossSpec();
}

void ExpectStatistics(const std::string& loss, double rate, double mean_burst) {
  const LossStatistics statistics = StatisticsOf(Loss(loss));
  EXPECT_NEAR(statistics.rate, rate, 1e-12) << loss;
  if (std::isinf(mean_burst)) {
    EXPECT_EQ(statistics.mean_burst, mean_burst) << loss;
  } else {
    EXPECT_NEAR(statistics.mean_burst, mean_burst, 1e-9 * mean_burst) << loss;
  }
}

TEST(LossStatisticsTest, CasesReckonedByHand) {
  EXPECT_EQ(StatisticsOf(LossSpec()).rate, 0);
  ExpectStatistics(R"("model": "random", "rate": "20%")", 0.2, 1.25);
  ExpectStatistics(R"("model": "correlated", "rate": "20%", "correlation": 0)", 0.2, 1.25);
  ExpectStatistics(R"("model": "correlated", "rate": "20%", "correlation": "50%")", 0.2, 2.5);
  // Simple Gilbert: p / (p + r), bursts of 1 / r.
  ExpectStatistics(R"("model": "gilbert_elliott", "p": "1%", "r": "25%")", 1.0 / 26, 4);
  // Bernoulli: r = 1 - p.
  ExpectStatistics(R"("model": "gilbert_elliott", "p": "20%")", 0.2, 1.25);
  // Half the time in each state; P(lost, lost) = (4 x 3/4 x 3/4 + 1 x 1/2 + ...) by hand:
  // in bad, then bad 1/2 x 3/4 x 1/2 x 3/4; bad, good and good, bad 1/2 x 3/4 x 1/2 x 1/4 each;
  // good, good 1/2 x 1/4 x 1/2 x 1/4: 1/4 in all, so that bursts are (1/2) / (1/2 - 1/4).
  ExpectStatistics(
      R"("model": "gilbert_elliott", "p": 0.5, "r": 0.5, "loss_bad": 0.75, "loss_good": 0.25)", 0.5,
      2);
  // Two states: 3 is bad, 1 is good.
  ExpectStatistics(R"("model": "four_state", "p13": "1%", "p31": "25%")", 1.0 / 26, 4);
  // s1 : s3 : s2 : s4 = 1 : 1/2 : 1/4 : 1/8, of 15/8. A burst ends with 1/2 x (p31 + p32) + 1/8.
  ExpectStatistics(
      R"("model": "four_state", "p13": 0.25, "p31": 0.5, "p32": 0.25, "p23": 0.5, "p14": 0.125)",
      1.0 / 3, 0.625 / 0.5);
  // Only single losses.
  ExpectStatistics(R"("model": "four_state", "p13": 0, "p14": 0.25)", 0.2, 1);
  ExpectStatistics(R"("model": "periodic", "every": 1000)", 0.001, 1);
  ExpectStatistics(R"("model": "periodic", "every": 30, "burst": 3, "offset": 7)", 0.1, 3);
  ExpectStatistics(R"("model": "sequence", "packets": [3, "10-19"], "repeat": 44)", 0.25, 5.5);
  // The burst at the end of a round continues in the next round.
  ExpectStatistics(R"("model": "sequence", "packets": ["0-1", 5, "8-9"], "repeat": 10)", 0.5, 2.5);
}

TEST(LossStatisticsTest, NothingAndEverythingAreExact) {
  for (const char* nothing :
       {R"("model": "random", "rate": 0)", R"("model": "correlated", "rate": 0, "correlation": 1)",
        R"("model": "gilbert_elliott", "p": 0)", R"("model": "gilbert_elliott", "p": 0, "r": 0)",
        R"("model": "gilbert_elliott", "p": 0.5, "loss_bad": 0)",
        R"("model": "four_state", "p13": 0)",
        R"("model": "four_state", "p13": 0.5, "p32": 0.5, "p23": 0)"}) {
    EXPECT_EQ(StatisticsOf(Loss(nothing)).rate, 0) << nothing;
    EXPECT_EQ(StatisticsOf(Loss(nothing)).mean_burst, 0) << nothing;
  }
  for (const char* all :
       {R"("model": "random", "rate": 1)", R"("model": "correlated", "rate": 1, "correlation": 1)",
        R"("model": "gilbert_elliott", "p": 0.5, "r": 0)", R"("model": "gilbert_elliott", "p": 1)",
        R"("model": "gilbert_elliott", "p": 0.5, "loss_good": 1)",
        R"("model": "gilbert_elliott", "p": 0, "loss_good": 1, "loss_bad": 0)",
        R"("model": "four_state", "p13": 0.5, "p31": 0)",
        R"("model": "periodic", "every": 7, "burst": 7, "offset": 3)",
        R"("model": "sequence", "packets": ["0-9"], "repeat": 10)"}) {
    EXPECT_EQ(StatisticsOf(Loss(all)).rate, 1) << all;
    EXPECT_EQ(StatisticsOf(Loss(all)).mean_burst, kInfinity) << all;
  }
}

TEST(LossStatisticsTest, RatesNextToTheEndsKeepTheirBursts) {
  // 1 - rate is 2^-64 and 1e-12. The first is too small for a difference of doubles.
  EXPECT_EQ(
      StatisticsOf(Loss(R"("model": "random", "rate": "99.99999999999999999999%")")).mean_burst,
      std::ldexp(1.0, 64));
  ExpectStatistics(R"("model": "gilbert_elliott", "p": "0.0001%", "r": "0.0001%")", 0.5, 1e6);
}

TEST(LossStatisticsTest, ASequenceThatDoesNotRepeatIsOfItsOwnPackets) {
  const LossStatistics statistics =
      StatisticsOf(Loss(R"("model": "sequence", "packets": [0, "5-7", 9])"));
  EXPECT_EQ(statistics.packets, 10u);
  EXPECT_EQ(statistics.rate, 0.5);
  EXPECT_NEAR(statistics.mean_burst, 5.0 / 3, 1e-12);
  EXPECT_EQ(StatisticsOf(Loss(R"("model": "sequence", "packets": [0], "repeat": 2)")).packets, 0u);
}

// The rate and the mean burst length of a simulated walk of `steps` packets.
LossStatistics Walk(int steps, const std::function<bool()>& next) {
  LossStatistics walked;
  double lost = 0, bursts = 0;
  bool before = false;
  for (int i = 0; i < steps; i++) {
    const bool now = next();
    lost += now;
    bursts += now && !before;
    before = now;
  }
  walked.rate = lost / steps;
  walked.mean_burst = lost / bursts;
  return walked;
}

// Within five percent, which is more than five standard deviations for the parameters below.
void ExpectNear(const LossStatistics& walked, const LossStatistics& expected) {
  EXPECT_NEAR(walked.rate / expected.rate, 1, 0.05);
  EXPECT_NEAR(walked.mean_burst / expected.mean_burst, 1, 0.05);
}

TEST(LossStatisticsTest, GilbertElliottIsAsAWalkOfItsChain) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> draw;
  const double sets[][4] = {{0.01, 0.25, 1, 0},    {0.05, 0.1, 0.7, 0.02}, {0.3, 0.3, 0.9, 0.1},
                            {0.2, 0.05, 0.5, 0.5}, {0.5, 1, 1, 0.1},       {0.02, 0.5, 0.3, 0.05}};
  for (const auto& [p, r, bad_loss, good_loss] : sets) {
    const LossSpec loss =
        Loss(absl::StrCat(R"("model": "gilbert_elliott", "p": )", p, R"(, "r": )", r,
                          R"(, "loss_bad": )", bad_loss, R"(, "loss_good": )", good_loss));
    bool bad = false;
    auto next = [&, p = p, r = r, bad_loss = bad_loss, good_loss = good_loss] {
      bad = bad ? draw(random) >= r : draw(random) < p;
      return draw(random) < (bad ? bad_loss : good_loss);
    };
    ExpectNear(Walk(1'000'000, next), StatisticsOf(loss));
  }
}

TEST(LossStatisticsTest, FourStatesAreAsAWalkOfTheirChain) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> draw;
  const double sets[][5] = {{0.01, 0.25, 0, 1, 0},
                            {0.05, 0.3, 0.3, 0.4, 0.02},
                            {0.4, 0.1, 0.9, 0.1, 0.6},
                            {0.02, 0.5, 0.2, 0.7, 0.1}};
  for (const auto& [p13, p31, p32, p23, p14] : sets) {
    const LossSpec loss =
        Loss(absl::StrCat(R"("model": "four_state", "p13": )", p13, R"(, "p31": )", p31,
                          R"(, "p32": )", p32, R"(, "p23": )", p23, R"(, "p14": )", p14));
    int state = 1;
    auto next = [&, p13 = p13, p31 = p31, p32 = p32, p23 = p23, p14 = p14] {
      const double d = draw(random);
      switch (state) {
        case 1:
          state = d < p13 ? 3 : d < p13 + p14 ? 4 : 1;
          break;
        case 2:
          state = d < p23 ? 3 : 2;
          break;
        case 3:
          state = d < p31 ? 1 : d < p31 + p32 ? 2 : 3;
          break;
        default:
          state = 1;
      }
      return state >= 3;
    };
    ExpectNear(Walk(1'000'000, next), StatisticsOf(loss));
  }
}

TEST(LossStatisticsTest, ACorrelatedLossLosesItsRate) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> draw;
  for (const auto& [rate, correlation] :
       {std::pair(0.02, 0.25), std::pair(0.1, 0.75), std::pair(0.5, 0.5), std::pair(0.9, 0.3)}) {
    const LossSpec loss = Loss(absl::StrCat(R"("model": "correlated", "rate": )", rate,
                                            R"(, "correlation": )", correlation));
    bool lost = draw(random) < rate;
    auto next = [&, rate = rate, correlation = correlation] {
      if (draw(random) >= correlation) lost = draw(random) < rate;  // else unchanged
      return lost;
    };
    ExpectNear(Walk(1'000'000, next), StatisticsOf(loss));
  }
}

}  // namespace
}  // namespace twinpath
