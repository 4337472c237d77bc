// SPDX-License-Identifier: BSD-3-Clause
// The actual loss is the loss that the policy asks for: the rate is within binomial bounds, the
// gaps are geometric, and losses are independent of each other, of other queues and of other rules.
// Each stream has a million packets. Seeds are fixed, so every figure here is exact and repeatable.
//
// Bounds: 3.9 standard deviations for each rate (1e-4, two-sided). There are thousands of p-values
// of gaps and correlations, so the bound of each is 1e-6.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/fates.h"
#include "tests/unit/lib/statistics.h"
#include "tests/unit/lib/stream.h"

namespace twinpath {
namespace {

constexpr size_t kBlocks = 15625;  // of 64 packets: a million
constexpr double kPackets = 64.0 * kBlocks;
constexpr double kLeastP = 1e-6;
constexpr double kRates[] = {1e-4, 0.01, 0.1, 0.5, 0.9};

// The tested streams: four queues of a rule, the same rule on another port, other rules.
std::vector<StreamSpec> Specs(uint64_t seed = 7) {
  std::vector<StreamSpec> specs;
  for (uint32_t queue = 0; queue < 4; queue++) specs.push_back({.seed = seed, .queue = queue});
  specs.push_back({.seed = seed, .port = "port1"});
  specs.push_back({.seed = seed, .rule = "a"});
  specs.push_back({.seed = seed, .rule = "b", .queue = 1});
  return specs;
}

std::string Name(const StreamSpec& spec, double p) {
  return "p " + std::to_string(p) + " rule " + spec.rule + " port " + spec.port + " queue " +
         std::to_string(spec.queue);
}

TEST(Loss, EndsAreExact) {
  for (const StreamSpec& spec : Specs()) {
    EXPECT_EQ(Lost(Stream(spec, 0, TP_LOSS_NONE).Fates(kBlocks)), 0u);
    EXPECT_EQ(Lost(Stream(spec, 0, TP_LOSS_STREAM).Fates(kBlocks)), 0u);
    EXPECT_EQ(Lost(Stream(spec, 0, TP_LOSS_ALL).Fates(kBlocks)), 64 * kBlocks);
  }
}

TEST(Loss, RateIsWithinBinomialBounds) {
  for (double p : kRates) {
    for (const StreamSpec& spec : Specs()) {
      const double lost = static_cast<double>(Lost(Stream(spec, Threshold(p)).Fates(kBlocks)));
      EXPECT_LT(std::abs(lost - kPackets * p), 3.9 * std::sqrt(kPackets * p * (1 - p)))
          << Name(spec, p) << ": lost " << lost;
    }
  }
}

TEST(Loss, GapsAreGeometric) {
  for (double p : kRates) {
    for (const StreamSpec& spec : Specs()) {
      EXPECT_GT(GapP(Stream(spec, Threshold(p)).Fates(kBlocks), p), kLeastP) << Name(spec, p);
    }
  }
}

TEST(Loss, PacketsAreUncorrelatedAtLags1To64) {
  for (double p : kRates) {
    for (const StreamSpec& spec : Specs()) {
      const Fates fates = Stream(spec, Threshold(p)).Fates(kBlocks);
      for (size_t lag = 1; lag <= 64; lag++) {
        EXPECT_GT(CoincidenceP(fates, fates, lag, p), kLeastP) << Name(spec, p) << " lag " << lag;
      }
    }
  }
}

TEST(Loss, QueuesPortsAndRulesAreUncorrelatedWithEachOther) {
  for (double p : kRates) {
    std::vector<Fates> streams;
    for (const StreamSpec& spec : Specs())
      streams.push_back(Stream(spec, Threshold(p)).Fates(kBlocks));
    for (size_t x = 0; x < streams.size(); x++) {
      for (size_t y = 0; y < streams.size(); y++) {
        for (size_t lag : {0, 1, 2, 3, 4, 8, 16, 32, 63, 64}) {
          if (x == y || (lag == 0 && x > y)) continue;
          EXPECT_GT(CoincidenceP(streams[x], streams[y], lag, p), kLeastP)
              << "p " << p << " streams " << x << " and " << y << " lag " << lag;
        }
      }
    }
  }
}

// Sixty-four queues at once: for each packet number, the number of queues that lose is binomial.
TEST(Loss, QueuesTogetherAreBinomial) {
  constexpr int kQueues = 64;
  constexpr double kHalf = 0.5;
  std::vector<Fates> streams;
  for (uint32_t queue = 0; queue < kQueues; queue++)
    streams.push_back(Stream({.queue = queue}, Threshold(kHalf)).Fates(1600));
  std::vector<double> seen(kQueues + 1, 0);
  for (size_t packet = 0; packet < 64 * 1600; packet++) {
    size_t lost = 0;
    for (const Fates& fates : streams) lost += fates[packet / 64] >> packet % 64 & 1;
    seen[lost]++;
  }
  double chi_square = 0, bins = 0;
  for (int k = 0; k <= kQueues; k++) {
    const double expected = 64 * 1600 *
                            std::exp(std::lgamma(kQueues + 1) - std::lgamma(k + 1) -
                                     std::lgamma(kQueues - k + 1) + kQueues * std::log(kHalf));
    if (expected < 10) continue;
    const double deviation = seen[static_cast<size_t>(k)] - expected;
    chi_square += deviation * deviation / expected;
    bins++;
  }
  EXPECT_GT(ChiSquareP(chi_square, bins), kLeastP);
  EXPECT_EQ(bins, 29) << "18 to 46 of 64";
}

TEST(Loss, SameSeedSameSequenceAnotherSeedAnother) {
  for (double p : kRates) {
    const std::vector<StreamSpec> specs = Specs(7), others = Specs(8);
    for (size_t i = 0; i < specs.size(); i++) {
      const Fates fates = Stream(specs[i], Threshold(p)).Fates(kBlocks);
      const Fates other = Stream(others[i], Threshold(p)).Fates(kBlocks);
      EXPECT_EQ(fates, Stream(specs[i], Threshold(p)).Fates(kBlocks));
      EXPECT_NE(fates, other);
      EXPECT_GT(CoincidenceP(fates, other, 0, p), kLeastP) << Name(specs[i], p);
    }
  }
}

// The tests above can fail: they reject a stream that repeats, and one that loses every tenth
// packet.
TEST(Loss, JudgesAreNotBlind) {
  const Fates fates = Stream({}, Threshold(0.1)).Fates(kBlocks);
  EXPECT_LT(CoincidenceP(fates, fates, 0, 0.1), 1e-12);
  Fates shifted(fates);
  for (size_t i = 0; i + 1 < kBlocks; i++) shifted[i] = fates[i] >> 3 | fates[i + 1] << 61;
  EXPECT_LT(CoincidenceP(shifted, fates, 3, 0.1), 1e-12);
  Fates periodic(kBlocks, 0);
  for (size_t packet = 0; packet < 64 * kBlocks; packet += 10)
    periodic[packet / 64] |= 1ULL << packet % 64;
  EXPECT_LT(GapP(periodic, 0.1), 1e-12);
  EXPECT_LT(CoincidenceP(periodic, periodic, 5, 0.1), 1e-12);
}

}  // namespace
}  // namespace twinpath
