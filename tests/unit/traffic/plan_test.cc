// SPDX-License-Identifier: BSD-3-Clause
// Frames of `twinpath generate`: sizes, flows, tags and checksums.

#include "src/traffic/frames/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "src/traffic/frames/clock_id.h"
#include "src/traffic/frames/headers.h"
#include "src/traffic/frames/tag.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

// The sum of RFC 1071 by its definition.
uint32_t SumOf(const Bytes& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2)
    sum += bytes[i] * 256U + (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

Bytes Part(const Bytes& frame, size_t from, size_t to) {
  return Bytes(frame.begin() + static_cast<long>(from), frame.begin() + static_cast<long>(to));
}

// Checks both checksums of a UDP frame whose IP header begins at `ip`.
void ExpectRight(const Bytes& frame, size_t ip, bool v6) {
  const size_t udp = ip + (v6 ? 40 : 20);
  const size_t length = frame.size() - udp;
  if (!v6) {
    EXPECT_EQ(frame.size() - ip, frame[ip + 2] * 256U + frame[ip + 3]);
    EXPECT_EQ(0xffffU, SumOf(Part(frame, ip, udp)));
  } else {
    EXPECT_EQ(length, frame[ip + 4] * 256U + frame[ip + 5]);
  }
  EXPECT_EQ(length, frame[udp + 4] * 256U + frame[udp + 5]);
  EXPECT_NE(0, frame[udp + 6] * 256 + frame[udp + 7]);
  Bytes all = v6 ? Part(frame, ip + 8, ip + 40) : Part(frame, ip + 12, ip + 20);
  for (const size_t byte : {size_t{0}, size_t{17}, length >> 8, length & 255})
    all.push_back(static_cast<uint8_t>(byte));
  const Bytes datagram = Part(frame, udp, frame.size());
  all.insert(all.end(), datagram.begin(), datagram.end());
  EXPECT_EQ(0xffffU, SumOf(all));
}

TrafficSpec Spec(uint32_t ip_version = 4) {
  TrafficSpec spec;
  spec.ip_version = ip_version;
  spec.source = DefaultSource(ip_version);
  spec.destination = DefaultDestination(ip_version);
  spec.sizes = {static_cast<uint16_t>(ip_version == 4 ? 60 : 80)};
  return spec;
}

Bytes Frame(const FrameSource& source, uint64_t n, uint64_t time = 0) {
  Bytes frame(source.longest(), 0xee);
  frame.resize(source.Write(n, time, frame.data()));
  return frame;
}

TEST(PlanTest, TheSmallestFrameByteForByte) {
  TrafficSpec spec = Spec();
  spec.stream = 7;
  const auto plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const uint16_t clock = ClockId();
  Bytes expected = {2,    0,    0,    0,    0,    2,    2,    0,    0,    0,    0,    1,
                    8,    0,    0x45, 0,    0,    46,   0,    0,    0,    0,    64,   17,
                    0xee, 0x98, 198,  18,   0,    1,    198,  19,   0,    1,    0xc0, 0,
                    0,    9,    0,    26,   0,    0,    0x54, 0x70, 0x47, 7,    0,    0,
                    0xab, 0xcd, 0x12, 0x34, 0x56, 0x78, 0x01, 0x23, 0x45, 0x67, 0x89, 0x0a};
  expected[46] = static_cast<uint8_t>(clock >> 8);
  expected[47] = static_cast<uint8_t>(clock);
  // The IPv4 header's checksum, by hand: ~(4500 + 2e + 4011 + c612 + 1 + c613 + 1).
  uint32_t sum = 0x4500 + 0x2e + 0x4011 + 0xc612 + 1 + 0xc613 + 1;
  sum = (sum & 0xffff) + (sum >> 16);
  expected[24] = static_cast<uint8_t>(~sum >> 8);
  expected[25] = static_cast<uint8_t>(~sum);
  const Bytes frame = Frame(*plan, 0xabcd12345678, 0xff010123456789'0aULL & 0xffff0123456789'0aULL);
  Bytes without = frame;
  without[40] = without[41] = 0;  // the UDP checksum, see below
  EXPECT_EQ(expected, without);
  ExpectRight(frame, 14, false);
}

TEST(PlanTest, ChecksumsAreRightForEveryShape) {
  for (const uint32_t version : {4U, 6U})
    for (const bool vlan : {false, true}) {
      TrafficSpec spec = Spec(version);
      if (vlan) spec.vlan = 5;
      spec.sizes.clear();
      spec.range = {static_cast<uint16_t>(ShortestTagged(version, vlan)), 1514};
      spec.flows = 100'000;
      spec.spread = TP_SPREAD_UNIFORM;
      const auto plan = Plan::Make(spec);
      ASSERT_TRUE(plan.ok()) << plan.status();
      for (uint64_t n = 0; n < 3000; n++) {
        const uint64_t number = n * 0x10001000'10001ULL & 0xffffffffffff;
        const Bytes frame = Frame(*plan, number, n * 0x123456789abcd);
        ASSERT_EQ(plan->Size(number), frame.size());
        ExpectRight(frame, vlan ? 18 : 14, version == 6);
        const TagRead tag = ReadTag(frame);
        ASSERT_EQ(TagState::kTagged, tag.state);
        EXPECT_TRUE(tag.verified);
        EXPECT_EQ(number, tag.sequence);
        EXPECT_EQ(n * 0x123456789abcd & 0xffffffffffff, tag.time);
        EXPECT_EQ(ClockId(), tag.clock);
        for (size_t i = plan->traffic().start_length; i < frame.size(); i++) ASSERT_EQ(0, frame[i]);
      }
    }
}

TEST(PlanTest, SizesInTurnAndInARange) {
  TrafficSpec spec = Spec();
  spec.sizes = {60, 60, 590, 1514};
  auto plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok());
  for (uint64_t n = 0; n < 12; n++) EXPECT_EQ(spec.sizes[n % 4], plan->Size(n));
  spec.sizes.clear();
  spec.range = {100, 103};
  plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok());
  std::map<uint32_t, int> seen;
  for (uint64_t n = 0; n < 40'000; n++) seen[plan->Size(n)]++;
  EXPECT_EQ(4U, seen.size());
  for (uint32_t size = 100; size <= 103; size++) EXPECT_NEAR(10'000, seen[size], 350);
}

TEST(PlanTest, FlowsAreDistinctFiveTuples) {
  TrafficSpec spec = Spec();
  spec.flows = 40'000;  // three source addresses
  const auto plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok());
  std::set<Bytes> tuples;
  std::set<uint64_t> hashes;
  for (uint64_t n = 0; n < 80'000; n++) {
    const Bytes frame = Frame(*plan, n);
    tuples.insert(Part(frame, 26, 38));
    hashes.insert(FlowHash(frame, *FindUdp(frame)));
    EXPECT_EQ(n % 40'000, plan->Flow(n));
  }
  EXPECT_EQ(40'000U, tuples.size());
  EXPECT_EQ(40'000U, hashes.size());
}

TEST(PlanTest, SpreadsOfFlows) {
  TrafficSpec spec = Spec();
  spec.flows = 10;
  spec.spread = TP_SPREAD_UNIFORM;
  auto plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok());
  std::vector<int> seen(10);
  for (uint64_t n = 0; n < 100'000; n++) seen[plan->Flow(n)]++;
  for (const int count : seen) EXPECT_NEAR(10'000, count, 400);  // 4 standard deviations
  spec.spread = TP_SPREAD_ZIPF;
  spec.zipf = 1;
  plan = Plan::Make(spec);
  ASSERT_TRUE(plan.ok());
  seen.assign(10, 0);
  for (uint64_t n = 0; n < 100'000; n++) seen[plan->Flow(n)]++;
  double harmonic = 0;
  for (int f = 1; f <= 10; f++) harmonic += 1.0 / f;
  for (int f = 1; f <= 10; f++)
    EXPECT_NEAR(100'000 / harmonic / f, seen[static_cast<size_t>(f - 1)], 600);
}

TEST(PlanTest, TheSeedDecides) {
  TrafficSpec spec = Spec();
  spec.sizes.clear();
  spec.range = {60, 1514};
  spec.flows = 1000;
  spec.spread = TP_SPREAD_UNIFORM;
  const auto one = Plan::Make(spec), again = Plan::Make(spec);
  spec.seed = 2;
  const auto other = Plan::Make(spec);
  ASSERT_TRUE(one.ok() && again.ok() && other.ok());
  int equal = 0;
  for (uint64_t n = 0; n < 1000; n++) {
    EXPECT_EQ(Frame(*one, n), Frame(*again, n));
    equal += Frame(*one, n) == Frame(*other, n);
  }
  EXPECT_LT(equal, 3);
}

TEST(PlanTest, WhatIsRefused) {
  TrafficSpec spec = Spec();
  spec.sizes = {59};
  EXPECT_EQ(
      "found frames of 59 bytes, allowed 60 to 65535 bytes (headers, 18 bytes of tag), and at most "
      "64 sizes in turn",
      Plan::Make(spec).status().message());
  spec = Spec(6);
  spec.vlan = 1;
  spec.sizes = {83};
  EXPECT_FALSE(Plan::Make(spec).ok());
  spec.sizes = {84};
  EXPECT_TRUE(Plan::Make(spec).ok());
  spec.flows = kMaxFlows + 1;
  EXPECT_EQ("found 16777217 flows, allowed 1 to 16777216", Plan::Make(spec).status().message());
}

TEST(PlanTest, AFrameAsItIs) {
  const Bytes given(77, 0x5a);
  const auto plan = Plan::OfFrame(given, false, 0);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(given, Frame(*plan, 3, 99));
  EXPECT_FALSE(Plan::OfFrame(given, true, 0).ok());
  EXPECT_FALSE(Plan::OfFrame(Bytes(13), false, 0).ok());
}

TEST(PlanTest, AFrameThatGetsTheTag) {
  for (const uint32_t version : {4U, 6U}) {
    TrafficSpec spec = Spec(version);
    spec.sizes = {121};
    Bytes given = Frame(*Plan::Make(spec), 0);
    const size_t udp = version == 4 ? 34 : 54;
    given[udp] = 0x12;  // another port, a payload that is not 0, no right checksum
    for (size_t i = udp + 8; i < given.size(); i++) given[i] = static_cast<uint8_t>(i * 7);
    Bytes longer = given;  // with an Ethernet trailer
    longer.insert(longer.end(), {1, 2, 3});
    const auto plan = Plan::OfFrame(longer, true, 9);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const Bytes frame = Frame(*plan, 12345, 678);
    EXPECT_EQ(Part(longer, 0, udp + 6), Part(frame, 0, udp + 6));
    EXPECT_EQ(Part(longer, udp + 26, longer.size()), Part(frame, udp + 26, frame.size()));
    ExpectRight(Part(frame, 0, given.size()), 14, version == 6);
    const TagRead tag = ReadTag(frame);
    EXPECT_EQ(TagState::kTagged, tag.state);
    EXPECT_EQ(9, tag.stream);
    EXPECT_EQ(12345U, tag.sequence);
    EXPECT_EQ(678U, tag.time);
  }
}

}  // namespace
}  // namespace twinpath
