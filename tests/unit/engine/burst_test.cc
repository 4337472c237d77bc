// SPDX-License-Identifier: BSD-3-Clause
// A burst is decided exactly as its frames one by one, for any policy, frames and size of burst.
// Some fates are pinned to those of the first releases.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"
#include "tests/parity/universe.h"
#include "tests/unit/lib/burst_pair.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

constexpr uint64_t kPolicies = 60;
constexpr uint32_t kBursts = 40;  // of each policy

// A frame of any shape: most in one segment, some with further segments, a few with random bytes in
// their headers.
TestFrame DrawFrame(const std::vector<Shape>& shapes, Universe* u) {
  TestFrame frame;
  frame.segment = shapes[u->Draw(shapes.size())].frame;
  frame.frame_len = static_cast<uint32_t>(frame.segment.size());
  if (u->Chance(6)) frame.frame_len += static_cast<uint32_t>(u->Draw(3000));
  if (u->Chance(8)) frame.segment.resize(u->Draw(frame.segment.size() + 1));
  if (u->Chance(8) && !frame.segment.empty()) frame.segment[u->Draw(frame.segment.size())] ^= 0xff;
  return frame;
}

TEST(Burst, DecidesAsFrameByFrame) {
  const std::vector<Shape> shapes = AllShapes();
  std::set<uint32_t> tiers, fates;
  std::set<size_t> sizes;
  for (uint64_t number = 0; number < kPolicies; number++) {
    auto policy = Compile(MakeRandomPolicy(number));
    ASSERT_TRUE(policy.ok()) << policy.status();
    BurstPair pair(*std::move(policy));
    Universe u(number);
    uint64_t now = 0;
    for (uint32_t b = 0; b < kBursts; b++) {
      const size_t port = u.Draw(pair.policy().ports.size());
      std::vector<TestFrame> frames(1 + u.Draw(kMaxBurst));
      for (TestFrame& frame : frames) frame = DrawFrame(shapes, &u);
      now += u.Draw(4'000'000'000);
      ASSERT_EQ(pair.Feed(port, frames, now), "") << "policy " << number << ", burst " << b;
      tiers.insert(pair.policy().plans[port].tier);
      sizes.insert(frames.size());
      for (size_t i = 0; i < frames.size(); i++) fates.insert(pair.effects()[i].fate);
    }
  }
  EXPECT_EQ(tiers, (std::set<uint32_t>{TP_TIER_BLIND, TP_TIER_HEADERS, TP_TIER_GENERAL}));
  EXPECT_EQ(fates,
            (std::set<uint32_t>{TP_FATE_FORWARD, TP_FATE_LOST, TP_FATE_DENIED, TP_FATE_MALFORMED}));
  EXPECT_EQ(sizes.size(), kMaxBurst) << "bursts of every size";
}

TestFrame Whole(std::vector<uint8_t> bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  return {std::move(bytes), length};
}

TestFrame Dns() {
  return Whole(FrameBuilder()
                   .Ipv4()
                   .Ipv4Addresses(0x0a000001, 0x0a000002)
                   .Udp(1111, 53)
                   .Payload(18)
                   .Build());
}

// Which of the next `count` frames are lost, in bursts of `burst` frames.
uint64_t Lost(BurstPair* pair, const TestFrame& frame, uint32_t count, uint32_t burst) {
  uint64_t lost = 0;
  for (uint32_t at = 0; at < count; at += burst) {
    const uint32_t size = std::min(burst, count - at);
    EXPECT_EQ(pair->Feed(0, std::vector<TestFrame>(size, frame), 0), "");
    for (uint32_t i = 0; i < size; i++)
      lost |= static_cast<uint64_t>(pair->effects()[i].fate == TP_FATE_LOST) << (at + i);
  }
  return lost;
}

CompiledPolicy Compiled(const std::string& json) {
  return CompilePolicy(ParsePolicy(json, "test").value(), {"lan", "wan"}).value();
}

// The fates of these policies' first 128 packets in the first releases. Those of the flow come from
// another implementation of its hash and its draws.
struct Golden {
  const char* rules;  // of a policy of seed 7
  tp_tier tier;
  uint64_t first, second;
};

class GoldenBurst : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenBurst, LosesTheSamePackets) {
  const std::string json = std::string(R"({"version": 1, "seed": 7, )") + GetParam().rules + "}";
  for (const uint32_t burst : {1u, 7u, 32u, 64u}) {
    BurstPair pair(Compiled(json));
    ASSERT_EQ(pair.policy().plans[0].tier, GetParam().tier);
    EXPECT_EQ(Lost(&pair, Dns(), 64, burst), GetParam().first) << burst;
    EXPECT_EQ(Lost(&pair, Dns(), 64, burst), GetParam().second) << burst;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tiers, GoldenBurst,
    ::testing::Values(Golden{R"("rules": [{"name": "out", "match": {"port": "lan"},
                 "loss": {"model": "random", "rate": "50%"}, "forward": {"port": "wan"}}])",
                             TP_TIER_BLIND, 0xc9b2ceefea3b957f, 0x167d93c5a32077da},
                      Golden{R"("rules": [{"name": "dns",
                 "match": {"port": "lan", "proto": "udp", "dst_port": 53},
                 "loss": {"model": "random", "rate": "25%"}, "forward": {"port": "wan"}}])",
                             TP_TIER_HEADERS, 0x1179425062000804, 0x2958222208014040},
                      Golden{R"("rules": [{"name": "flows", "match": {"proto": "udp"},
                 "loss": {"model": "random", "rate": "25%", "scope": "flow"}, "forward": "pass"}])",
                             TP_TIER_GENERAL, 0x4068320084440212, 0x200421080e110384}));

// If the policy drops malformed frames, the packets around them keep their numbers.
TEST(Burst, MalformedFramesThatAreDroppedTakeNoNumber) {
  const CompiledPolicy policy = Compiled(R"({"version": 1, "seed": 7, "malformed": "drop",
                   "rules": [{"name": "dns",
                   "match": {"proto": "udp", "dst_port": 53},
                   "loss": {"model": "random", "rate": "25%"}, "forward": "reflect"}]})");
  BurstPair plain(policy), mixed(policy);
  const uint64_t expected = Lost(&plain, Dns(), 32, 32);
  std::vector<TestFrame> frames;
  for (int i = 0; i < 32; i++) {
    frames.push_back(Dns());
    frames.push_back(Whole(std::vector<uint8_t>(13)));
  }
  ASSERT_EQ(mixed.Feed(0, frames, 0), "");
  uint64_t lost = 0;
  for (uint32_t i = 0; i < 64; i++) {
    const tp_effects& effects = mixed.effects()[i];
    if (i % 2 == 0)
      lost |= static_cast<uint64_t>(effects.fate == TP_FATE_LOST) << i / 2;
    else
      EXPECT_EQ(effects, kMalformed);
  }
  EXPECT_EQ(lost, expected);
  EXPECT_EQ(mixed.state(0, 0).n, 32u);
}

// The frame behind each flow's is malformed. Each flow is taken by its own key.
TEST(Burst, MalformedFramesThatAreDroppedHideNoFlow) {
  BurstPair pair(Compiled(R"({"version": 1, "seed": 7, "malformed": "drop",
                   "rules": [{"name": "flows", "match": {"proto": "udp"},
                   "loss": {"model": "periodic", "every": 2, "scope": "flow"}}]})"));
  std::vector<TestFrame> frames;
  for (uint16_t flow = 0; flow < 32; flow++) {
    frames.push_back(Whole(FrameBuilder().Ipv4().Udp(flow, 53).Payload(18).Build()));
    frames.push_back(Whole(std::vector<uint8_t>(13)));
  }
  for (int round = 0; round < 4; round++) {
    ASSERT_EQ(pair.Feed(0, frames, 0), "");
    for (uint32_t i = 0; i < 64; i++) {
      const tp_fate of_flow = round % 2 == 0 ? TP_FATE_LOST : TP_FATE_FORWARD;
      EXPECT_EQ(pair.effects()[i].fate, i % 2 == 0 ? of_flow : TP_FATE_MALFORMED) << i;
    }
  }
}

// Otherwise malformed frames are decided like other packets, by the headers that can be read.
TEST(Burst, MalformedFramesAreMatchedAsFarAsTheyAreRead) {
  const CompiledPolicy policy = Compiled(R"({"version": 1, "rules": [
      {"name": "dns", "match": {"proto": "udp", "dst_port": 53}, "forward": "drop"},
      {"name": "udp", "match": {"proto": "udp"}, "forward": "reflect"},
      {"name": "ip", "match": {"ether_type": "ipv4", "malformed": true}, "forward": "drop"}]})");
  BurstPair pair(policy);
  using F = FrameBuilder;
  const std::vector<uint8_t> udp = F().Ipv4().Udp(1, 53).Payload(20).Build();
  std::vector<TestFrame> frames;
  for (size_t length : {62, 61, 42, 41, 34, 33, 14, 13, 0})
    frames.push_back(Whole({udp.begin(), udp.begin() + static_cast<long>(length)}));
  ASSERT_EQ(pair.Feed(0, frames, 0), "");
  std::vector<uint32_t> rules;
  for (size_t i = 0; i < frames.size(); i++) rules.push_back(pair.effects()[i].rule);
  EXPECT_EQ(rules, (std::vector<uint32_t>{0, 0, 0, 1, 1, 2, 2, 3, 3}));
  for (uint32_t rule = 0; rule < 4; rule++)
    EXPECT_EQ(pair.state(0, rule).n, std::vector<uint64_t>({3, 2, 2, 2})[rule]);
}

// The fast tiers do not change the fields that they do not know.
TEST(Burst, HeadersTierWritesRuleFateAndDestination) {
  const CompiledPolicy policy = Compiled(R"({"version": 1, "rules": [
      {"name": "dns", "match": {"proto": "udp"}, "forward": {"port": "wan"}}]})");
  std::vector<tp_state> states = InitialStates(policy, 0, 0);
  QueuePlan plan = HostPlan(policy, 0);
  plan.datapath.states = states.data();
  TestFrame frame = Dns();
  Burst burst;
  burst.Set(0, frame.segment.data(), frame.frame_len, frame.frame_len);
  burst.effects[0] = {9, TP_FATE_LOST, 9, 1, 2, 3, 4, 5, 6};
  ASSERT_EQ(plan.tier, TP_TIER_HEADERS);
  EXPECT_EQ(DecideHeaders(&plan, 1, &burst), frame.frame_len);
  EXPECT_EQ(burst.effects[0], (tp_effects{0, TP_FATE_FORWARD, 1, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace twinpath
