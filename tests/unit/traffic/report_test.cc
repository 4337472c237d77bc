// SPDX-License-Identifier: BSD-3-Clause
// What twinpath generate and receive print, of results that are made up.

#include "apps/twinpath/traffic/report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/traffic/frames/plan.h"

namespace twinpath {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Receives packets 0 to 2 of a stream.
void Give(Receiver* receiver, uint8_t stream) {
  TrafficSpec spec;
  spec.source = DefaultSource(4);
  spec.destination = DefaultDestination(4);
  spec.sizes = {100};
  spec.stream = stream;
  const auto plan = Plan::Make(spec);
  for (uint64_t n = 0; n < 3; n++) {
    std::vector<uint8_t> frame(100);
    plan->Write(n, 0, frame.data());
    receiver->Add({.bytes = frame, .length = 100});
  }
}

TEST(ReceivedTest, AnExpectedStreamThatDidNotComeIsLost) {
  Receiver receiver(0);
  Give(&receiver, 4);
  Received received;
  received.receiver = &receiver;
  received.expected = {{2, 1000}, {4, 5}};
  const auto streams = ReceivedJson(received)["streams"];
  ASSERT_EQ(2U, streams.size());
  EXPECT_EQ(2, streams[0]["stream"]);
  EXPECT_EQ(1000, streams[0]["expected_packets"]);
  EXPECT_EQ(0, streams[0]["received_packets"]);
  EXPECT_EQ(1000, streams[0]["lost_packets"]);
  EXPECT_EQ(nullptr, streams[0]["clock"]);
  EXPECT_EQ(4, streams[1]["stream"]);
  EXPECT_EQ(3, streams[1]["received_packets"]);
  EXPECT_EQ(2, streams[1]["lost_packets"]);
  EXPECT_TRUE(Has(ReceivedText(received),
                  "\nStream 2 did not arrive: all of its 1,000 packets are lost\n"));
}

TEST(ReceivedTest, WhereNoStreamCameOneWithoutANumberIsLost) {
  const Receiver receiver(0);
  Received received;
  received.receiver = &receiver;
  EXPECT_TRUE(ReceivedJson(received)["streams"].empty());
  received.expected = {{-1, 1000}};
  const auto streams = ReceivedJson(received)["streams"];
  ASSERT_EQ(1U, streams.size());
  EXPECT_EQ(nullptr, streams[0]["stream"]);
  EXPECT_EQ(1000, streams[0]["lost_packets"]);
  EXPECT_TRUE(
      Has(ReceivedText(received), "\nNo stream arrived: all of its 1,000 packets are lost\n"));
}

TEST(ReceivedTest, APacketsNumberForAllStreamsMakesNoStreamUp) {
  Receiver receiver(0);
  Give(&receiver, 4);
  Received received;
  received.receiver = &receiver;
  received.expected = {{-1, 3}};
  EXPECT_EQ(1U, ReceivedJson(received)["streams"].size());
  EXPECT_FALSE(Has(ReceivedText(received), "did not arrive"));
}

}  // namespace
}  // namespace twinpath
