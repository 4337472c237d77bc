// SPDX-License-Identifier: BSD-3-Clause
// Frames to accounts: streams, corrupted frames, clocks.

#include "src/traffic/receive/receiver.h"

#include <gtest/gtest.h>

#include <vector>

#include "src/traffic/frames/clock_id.h"
#include "src/traffic/frames/plan.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Tagged(uint8_t stream, uint64_t n, uint64_t time = 0, uint16_t size = 100) {
  TrafficSpec spec;
  spec.source = DefaultSource(4);
  spec.destination = DefaultDestination(4);
  spec.sizes = {size};
  spec.stream = stream;
  const auto plan = Plan::Make(spec);
  Bytes frame(size);
  plan->Write(n, time, frame.data());
  return frame;
}

void Give(Receiver* receiver, const Bytes& frame, uint64_t arrival = 0) {
  receiver->Add(
      {.bytes = frame, .length = static_cast<uint32_t>(frame.size()), .arrival = arrival});
}

TEST(ReceiverTest, StreamsAreApart) {
  Receiver receiver(ClockId());
  Give(&receiver, Tagged(1, 0), 10);
  Give(&receiver, Tagged(2, 0), 20);
  Give(&receiver, Tagged(1, 2), 30);
  Give(&receiver, Bytes(60), 40);
  EXPECT_EQ(4U, receiver.frames());
  EXPECT_EQ(3U, receiver.tagged());
  EXPECT_EQ(1U, receiver.others());
  EXPECT_EQ(30U, receiver.last_tagged());
  ASSERT_EQ(2U, receiver.streams().size());
  const Receiver::Stream& one = *receiver.streams().at(1);
  EXPECT_EQ(2U, one.account.received());
  EXPECT_EQ(1U, one.account.Lost(std::nullopt));
  EXPECT_EQ(200U, one.bytes);
  EXPECT_EQ(10U, one.first_arrival);
  EXPECT_EQ(30U, one.last_arrival);
  EXPECT_FALSE(one.relative);
}

TEST(ReceiverTest, EachBitOfTheDatagramThatFlipsIsFound) {
  const Bytes frame = Tagged(3, 77);
  for (size_t bit = 14 * 8; bit < frame.size() * 8; bit++) {
    Receiver receiver(ClockId());
    Give(&receiver, Tagged(3, 76));
    Bytes flipped = frame;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    Give(&receiver, flipped);
    // Never as what it was; mostly as corrupted, except where it is no UDP any more, or has none of
    // its checksum (0).
    EXPECT_EQ(1U, receiver.streams().at(3)->account.received()) << bit;
    EXPECT_EQ(1U, receiver.corrupted() + receiver.others()) << bit;
    if (bit >= 42 * 8) {
      EXPECT_EQ(1U, receiver.corrupted()) << bit;
    }
    // Behind the magic and the stream's number, the stream is known.
    if (bit >= 46 * 8) {
      EXPECT_EQ(1U, receiver.streams().at(3)->account.corrupted()) << bit;
    }
  }
}

TEST(ReceiverTest, AFrameThatWasCutCountsWithoutItsChecksum) {
  Receiver receiver(ClockId());
  const Bytes frame = Tagged(1, 5, 0, 400);
  receiver.Add({.bytes = absl::MakeSpan(frame.data(), 64), .length = 400});
  EXPECT_EQ(1U, receiver.tagged());
  EXPECT_EQ(1U, receiver.streams().at(1)->unverified);
  EXPECT_EQ(400U, receiver.streams().at(1)->bytes);
}

TEST(ReceiverTest, OneClockGivesLatency) {
  Receiver receiver(ClockId());
  Give(&receiver, Tagged(1, 0, 1000), 3500);
  Give(&receiver, Tagged(1, 1, 2000), 4000);
  const Distribution& transit = receiver.streams().at(1)->account.transit();
  EXPECT_EQ(2000, transit.min());
  EXPECT_EQ(2500, transit.max());
}

TEST(ReceiverTest, AnotherClockGivesDifferences) {
  Receiver receiver(-1);
  const uint64_t ahead = 1'764'000'000'000'000'000;  // a wall clock
  Give(&receiver, Tagged(1, 0, 1000), ahead + 3500);
  Give(&receiver, Tagged(1, 1, 2000), ahead + 4000);
  Give(&receiver, Tagged(1, 2, 3000), ahead + 6000);
  const Receiver::Stream& stream = *receiver.streams().at(1);
  EXPECT_TRUE(stream.relative);
  EXPECT_EQ(-500, stream.account.transit().min());
  EXPECT_EQ(500, stream.account.transit().max());
  EXPECT_EQ(2U, stream.account.variation().count());
}

}  // namespace
}  // namespace twinpath
