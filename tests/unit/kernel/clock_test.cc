// SPDX-License-Identifier: BSD-3-Clause
// Cycles become nanoseconds: exactly for given counts, and closely for the machine's real counts.

#include "src/kernel/clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace twinpath {
namespace {

TEST(CycleScale, FollowsARateOfTwoAndAHalf) {
  CycleScale scale;
  scale.Observe(1'000, 500'000);
  scale.Observe(251'000, 600'000);  // 2.5 cycles a nanosecond
  EXPECT_EQ(scale.At(251'000), 600'000u);
  EXPECT_NEAR(static_cast<double>(scale.At(501'000)), 700'000, 1);
  EXPECT_NEAR(static_cast<double>(scale.At(2'500'251'000)), 1'000'600'000, 1);
}

TEST(CycleScale, NeverGoesBackwards) {
  CycleScale scale;
  scale.Observe(0, 0);
  scale.Observe(1'000, 1'000);
  EXPECT_EQ(scale.At(5'000), 5'000u);
  scale.Observe(5'000, 4'000);  // the other clock was slower
  EXPECT_EQ(scale.At(5'000), 5'000u);
  EXPECT_EQ(scale.At(5'100), 5'000u);
  EXPECT_GT(scale.At(8'000), 5'000u);
  EXPECT_EQ(scale.At(4'000), scale.At(8'000)) << "cycles of another core, which is behind";
}

TEST(CycleScale, KeepsUpWithADriftingClock) {
  CycleScale scale;
  scale.Observe(0, 1'000'000);
  uint64_t worst = 0;
  double ns = 1'000'000, rate = 0.4;  // nanoseconds a cycle
  for (uint64_t cycles = 50'000; cycles < 25'000'000'000; cycles += 50'000) {
    rate *= 1 + 1e-10;  // 50 ppm over the whole test
    ns += 50'000 * rate;
    const auto truth = static_cast<uint64_t>(ns);
    if (scale.Due(cycles)) scale.Observe(cycles, truth);
    const uint64_t at = scale.At(cycles);
    worst = std::max(worst, at > truth ? at - truth : truth - at);
  }
  EXPECT_LE(worst, 1000u);
}

TEST(CycleScale, ObservationsBecomeRare) {
  CycleScale scale;
  scale.Observe(0, 0);
  int observations = 0;
  for (uint64_t cycles = 50'000; cycles <= 10'000'000'000; cycles += 50'000) {
    if (!scale.Due(cycles)) continue;
    scale.Observe(cycles, cycles);  // a cycle a nanosecond: 10 s
    observations++;
  }
  EXPECT_GE(observations, 40) << "four a second at last";
  EXPECT_LE(observations, 60);
}

// Each reading is between two readings of the kernel's clock, except for the clock's own error. The
// median is not affected by other work of the machine.
TEST(NanosecondClock, AgreesWithTheKernel) {
  NanosecondClock clock;
  std::vector<uint64_t> errors;
  uint64_t last = 0;
  for (int i = 0; i < 20'000; i++) {
    clock.Correct();
    const uint64_t before = MonotonicNow(), now = clock.Now(), after = MonotonicNow();
    EXPECT_GE(now, last);
    last = now;
    errors.push_back(now < before ? before - now : now > after ? now - after : 0);
  }
  std::nth_element(errors.begin(), errors.begin() + 10'000, errors.end());
  EXPECT_LE(errors[10'000], 1000u);
}

TEST(CoarseNow, IsNoLaterThanMonotonicNow) {
  for (int i = 0; i < 1000; i++) {
    const uint64_t coarse = CoarseNow();
    EXPECT_LE(coarse, MonotonicNow());
  }
}

}  // namespace
}  // namespace twinpath
