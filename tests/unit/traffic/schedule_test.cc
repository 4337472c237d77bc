// SPDX-License-Identifier: BSD-3-Clause
// When frames are due.

#include "src/traffic/send/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace twinpath {
namespace {

std::vector<uint64_t> Dues(Schedule schedule, size_t count, uint32_t size = 60) {
  std::vector<uint64_t> dues;
  for (size_t i = 0; i < count; i++) {
    dues.push_back(schedule.due());
    schedule.Advance(size);
  }
  return dues;
}

// A rate in packets a second.
Pace Packets(uint64_t rate) { return {.unit = RateUnit::kPackets, .thousandths = rate * 1000}; }

TEST(ScheduleTest, ConstantGaps) {
  EXPECT_EQ((std::vector<uint64_t>{0, 1000, 2000, 3000}), Dues(Schedule(Packets(1'000'000)), 4));
  // 3 a second: thirds are carried.
  EXPECT_EQ((std::vector<uint64_t>{0, 333'333'333, 666'666'666, 1'000'000'000, 1'333'333'333}),
            Dues(Schedule(Packets(3)), 5));
  // Half a packet a second.
  EXPECT_EQ((std::vector<uint64_t>{0, 2'000'000'000}),
            Dues(Schedule({.unit = RateUnit::kPackets, .thousandths = 500}), 2));
}

TEST(ScheduleTest, ARateDoesNotDrift) {
  Schedule schedule(Packets(7'654'321));
  for (int i = 0; i < 7'654'321 * 3; i++) schedule.Advance(60);
  EXPECT_EQ(3'000'000'000U, schedule.due());
}

TEST(ScheduleTest, BitsOfLayers2And1) {
  // 60 bytes and the FCS are 512 bits.
  const Pace layer2 = {.unit = RateUnit::kBits, .thousandths = 512'000'000'000};
  EXPECT_EQ((std::vector<uint64_t>{0, 1000, 2000}), Dues(Schedule(layer2), 3));
  // 84 bytes on the wire: 14.88 million a second of 10 Gbit/s.
  Schedule wire(
      {.unit = RateUnit::kBits, .thousandths = 10'000'000'000'000, .overhead = kLayer1Overhead});
  for (int i = 0; i < 14'880'952; i++) wire.Advance(60);
  EXPECT_EQ(999'999'974U, wire.due());
  // Sizes may differ: 60 and 124 bytes are 512 and 1,024 bits.
  Schedule mixed(layer2);
  mixed.Advance(60);
  EXPECT_EQ(1000U, mixed.due());
  mixed.Advance(124);
  EXPECT_EQ(3000U, mixed.due());
}

TEST(ScheduleTest, Bursts) {
  Pace pace = Packets(1'000'000);
  pace.burst = 3;
  EXPECT_EQ((std::vector<uint64_t>{0, 0, 0, 3000, 3000, 3000, 6000}), Dues(Schedule(pace), 7));
}

TEST(ScheduleTest, MaxIsAlwaysDue) {
  EXPECT_EQ((std::vector<uint64_t>{0, 0, 0}), Dues(Schedule(Pace()), 3));
}

TEST(ScheduleTest, PoissonGapsHaveTheMeanAndTheDeviationOfAnExponential) {
  Pace pace = Packets(1'000'000);
  pace.poisson = true;
  const std::vector<uint64_t> dues = Dues(Schedule(pace), 100'001);
  double sum = 0, squares = 0;
  for (size_t i = 1; i < dues.size(); i++) {
    const double gap = static_cast<double>(dues[i] - dues[i - 1]);
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / 100'000;
  EXPECT_NEAR(1000, mean, 13);  // 4 standard deviations
  EXPECT_NEAR(2e6, squares / 100'000, 6e4);
  EXPECT_EQ(dues, Dues(Schedule(pace), 100'001));
  pace.seed = 2;
  EXPECT_NE(dues, Dues(Schedule(pace), 100'001));
}

TEST(ScheduleTest, AsRecordedAndTwiceAsFast) {
  const std::vector<uint64_t> offsets = {0, 100, 100, 900};
  EXPECT_EQ((std::vector<uint64_t>{0, 100, 100, 900, 1200, 1300, 1300, 2100, 2400}),
            Dues(Schedule(Recorded{offsets, 1}), 9));
  EXPECT_EQ((std::vector<uint64_t>{0, 50, 50, 450, 600}), Dues(Schedule(Recorded{offsets, 2}), 5));
}

}  // namespace
}  // namespace twinpath
