// SPDX-License-Identifier: BSD-3-Clause
// The loop that sends what is due, with a device that has no room at times.

#include "src/traffic/send/sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace twinpath {
namespace {

// Frame n has 60 + n % 3 bytes.
class Source : public FrameSource {
 public:
  uint32_t Size(uint64_t n) const override { return static_cast<uint32_t>(60 + n % 3); }
  uint32_t longest() const override { return 62; }
  uint32_t Write(uint64_t n, uint64_t, uint8_t*) const override { return Size(n); }
};

// Takes at most the next of `takes` frames of each call, and then all.
class Device : public Sender {
 public:
  explicit Device(std::vector<uint32_t> takes = {}) : takes_(std::move(takes)) {}
  absl::StatusOr<uint32_t> Send(uint32_t count) override {
    EXPECT_GE(count, 1U);
    EXPECT_LE(count, most());
    calls.push_back(count);
    if (calls.size() > fails_after) return absl::InternalError("it broke");
    if (takes_.empty()) return count;
    const uint32_t taken = std::min(count, takes_.front());
    takes_.erase(takes_.begin());
    return taken;
  }
  uint32_t most() const override { return 8; }
  uint64_t dropped() override { return lost; }

  std::vector<uint32_t> calls;
  uint64_t lost = 0;
  size_t fails_after = SIZE_MAX;  // calls

 private:
  std::vector<uint32_t> takes_;
};

TEST(SenderTest, CountsWhatTheDeviceTook) {
  Device device({8, 3, 0, 8});
  device.lost = 2;
  const auto result = RunSender(Source(), Schedule(Pace()), {.packets = 20}, &device);
  ASSERT_TRUE(result.failure.ok());
  EXPECT_EQ((std::vector<uint32_t>{8, 8, 5 + 3, 8, 1}), device.calls);
  EXPECT_EQ(20U, result.packets);
  EXPECT_EQ(20 * 60 + 6 * (0 + 1 + 2) + 0 + 1U, result.bytes);
  EXPECT_EQ(2U, result.dropped);
  EXPECT_EQ(2U, result.full);
  EXPECT_EQ(0U, result.latest);  // nothing was due at a time
  EXPECT_FALSE(result.stopped);
}

TEST(SenderTest, ARateTakesItsTime) {
  Device device;
  const Pace pace = {.unit = RateUnit::kPackets, .thousandths = 10'000'000};
  const auto result = RunSender(Source(), Schedule(pace), {.packets = 50}, &device);
  ASSERT_TRUE(result.failure.ok());
  EXPECT_EQ(50U, result.packets);
  EXPECT_GE(result.elapsed, 5'000'000U);  // the gap of the last frame included
}

TEST(SenderTest, ABurstIsHandedOverAtOnce) {
  Device device;
  const Pace pace = {.unit = RateUnit::kPackets, .thousandths = 1'000'000'000, .burst = 8};
  const auto result = RunSender(Source(), Schedule(pace), {.packets = 32}, &device);
  ASSERT_TRUE(result.failure.ok());
  EXPECT_EQ((std::vector<uint32_t>{8, 8, 8, 8}), device.calls);
}

TEST(SenderTest, EndsAfterItsDurationAndWhenItIsAsked) {
  Device device;
  const auto result = RunSender(Source(), Schedule(Pace()), {.duration = 3'000'000}, &device);
  ASSERT_TRUE(result.failure.ok());
  EXPECT_GE(result.elapsed, 3'000'000U);
  EXPECT_FALSE(result.stopped);
  const auto stopped =
      RunSender(Source(), Schedule(Pace()), {.stopped = [] { return true; }}, &device);
  EXPECT_TRUE(stopped.stopped);
}

TEST(SenderTest, ADeviceThatFailsEndsTheRunAndWhatItTookCounts) {
  Device device({8, 3});
  device.fails_after = 2;
  device.lost = 4;
  const auto result = RunSender(Source(), Schedule(Pace()), {.packets = 30}, &device);
  EXPECT_EQ("it broke", result.failure.message());
  EXPECT_EQ(11U, result.packets);
  EXPECT_EQ(11 * 60 + 3 * (0 + 1 + 2) + 0 + 1U, result.bytes);
  EXPECT_EQ(4U, result.dropped);
  EXPECT_FALSE(result.stopped);
}

}  // namespace
}  // namespace twinpath
