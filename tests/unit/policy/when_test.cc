// SPDX-License-Identifier: BSD-3-Clause
// Tests when a rule holds, exactly to the nanosecond, to the packet, and by flow. Uses whole
// policies with the host's tables.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/parity/host_replay.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

constexpr uint64_t kSecond = 1000000000;

// Two rules, "first" and "second", and the default. Each takes what the previous one leaves.
CompiledPolicy Compile(const std::string& first, const std::string& second = R"("packets": 1)") {
  return CompilePolicy(ParsePolicy(R"({"version": 1, "seed": 7, "rules": [{"name": "first", )" +
                                       first + R"(}, {"name": "second", )" + second + "}]}",
                                   "test")
                           .value(),
                       {"a"})
      .value();
}

uint32_t RuleOf(HostReplay* replay, const std::vector<uint8_t>& frame, uint32_t queue = 0) {
  return replay->Run(0, queue, frame).value().rule().value();
}

std::vector<uint8_t> Udp(uint16_t src = 1111, uint16_t dst = 2222, uint32_t from = 0x0a000001,
                         uint32_t to = 0x0a000002) {
  return FrameBuilder().Ipv4().Ipv4Addresses(from, to).Udp(src, dst).Build();
}

// Whether "first" holds at each time. The start is not at time 0.
void ExpectHolds(const std::string& active,
                 const std::vector<std::pair<uint64_t, bool>>& at_nanoseconds) {
  for (uint64_t origin : {uint64_t{0}, 123 * kSecond + 456}) {
    CompiledPolicy policy = Compile(R"("active": )" + active);
    SetOrigin(origin, &policy);
    HostReplay replay(policy, 1);
    for (const auto& [time, holds] : at_nanoseconds) {
      replay.SetClock(origin + time);
      EXPECT_EQ(RuleOf(&replay, Udp()) == 0, holds) << active << " at " << time << " ns";
    }
  }
}

TEST(When, ATimeHoldsToTheNanosecond) {
  ExpectHolds(R"({"from": "10s", "for": "2s", "every": "30s"})", {{0, false},
                                                                  {10 * kSecond - 1, false},
                                                                  {10 * kSecond, true},
                                                                  {12 * kSecond - 1, true},
                                                                  {12 * kSecond, false},
                                                                  {40 * kSecond - 1, false},
                                                                  {40 * kSecond, true},
                                                                  {42 * kSecond - 1, true},
                                                                  {42 * kSecond, false},
                                                                  {3000010 * kSecond - 1, false},
                                                                  {3000010 * kSecond, true},
                                                                  {3000012 * kSecond, false}});
  ExpectHolds(R"({"from": "5ms", "for": "1us"})", {{5000000 - 1, false},
                                                   {5000000, true},
                                                   {5000999, true},
                                                   {5001000, false},
                                                   {10000000, false}});
  ExpectHolds(R"({"from": "1m"})",
              {{60 * kSecond - 1, false}, {60 * kSecond, true}, {900000 * kSecond, true}});
  ExpectHolds(R"({"for": "1s"})", {{0, true}, {kSecond - 1, true}, {kSecond, false}});
}

TEST(When, SoManyPacketsAreOfEachQueue) {
  HostReplay replay(Compile(R"("packets": 100)", R"("packets": 50)"), 2);
  for (int n = 0; n < 200; n++) {
    const uint32_t expected = n < 100 ? 0 : n < 150 ? 1 : 2;
    ASSERT_EQ(RuleOf(&replay, Udp(), 0), expected) << n;
    if (n % 2 == 0) {
      ASSERT_EQ(RuleOf(&replay, Udp(), 1), 0u) << n;
    }
  }
  EXPECT_EQ(RuleOf(&replay, Udp(), 1), 1u);
}

TEST(When, AShareOfTheFlowsIsTheirShareBothWaysAlike) {
  constexpr uint32_t kFlows = 100000;
  HostReplay replay(Compile(R"("flows": "5%")", R"("flows": "5%")"), 2);
  // The same two rules the other way round.
  HostReplay swapped(CompilePolicy(ParsePolicy(R"({"version": 1, "seed": 7, "rules": [
          {"name": "second", "flows": "5%"}, {"name": "first", "flows": "5%"}]})",
                                               "test")
                                       .value(),
                                   {"a"})
                         .value(),
                     1);
  double first = 0, second = 0, both = 0;
  for (uint32_t i = 0; i < kFlows; i++) {
    const uint32_t from = 0x0a000000 + i / 7, to = 0x0b000000 + i % 5;
    const uint16_t src = static_cast<uint16_t>(1024 + i % 7), dst = 443;
    const uint32_t rule = RuleOf(&replay, Udp(src, dst, from, to));
    ASSERT_EQ(RuleOf(&replay, Udp(src, dst, from, to), 1), rule) << "again, on another queue";
    ASSERT_EQ(RuleOf(&replay, Udp(dst, src, to, from)), rule) << "the answer";
    const bool in_first = rule == 0;
    const bool in_second = RuleOf(&swapped, Udp(src, dst, from, to)) == 0;
    ASSERT_EQ(rule, in_first ? 0u : in_second ? 1u : 2u);
    first += in_first;
    second += in_second;
    both += in_first && in_second;
  }
  const auto bound = [](double p) { return 3.9 * std::sqrt(kFlows * p * (1 - p)); };
  EXPECT_LT(std::abs(first - kFlows * 0.05), bound(0.05));
  EXPECT_LT(std::abs(second - kFlows * 0.05), bound(0.05));
  // Two rules choose flows independently.
  EXPECT_LT(std::abs(both - kFlows * 0.0025), bound(0.0025));
}

TEST(When, AllThatAreSetMustHold) {
  HostReplay replay(
      Compile(R"("active": {"from": "1s"}, "packets": 3, "match": {"dst_port": 2222})"), 1);
  EXPECT_EQ(RuleOf(&replay, Udp()), 1u);  // too early
  replay.SetClock(kSecond);
  EXPECT_EQ(RuleOf(&replay, Udp(1, 2)), 2u);  // another port
  for (int n = 0; n < 3; n++) EXPECT_EQ(RuleOf(&replay, Udp()), 0u);
  EXPECT_EQ(RuleOf(&replay, Udp()), 2u);  // enough
}

// Sixteen rules of one match, the most there are: each takes what the previous ones leave.
TEST(When, TheLastOfSixteenAlternativesIsReached) {
  std::string rules;
  for (int i = 0; i < 15; i++) {
    rules += R"({"name": "r)" + std::to_string(i) + R"(", "match": {"proto": "udp"}, "packets": )" +
             std::to_string(i + 1) + "}, ";
  }
  rules += R"({"name": "last", "match": {"proto": "udp"}})";
  HostReplay replay(
      CompilePolicy(ParsePolicy(R"({"version": 1, "rules": [)" + rules + "]}", "test").value(),
                    {"a"})
          .value(),
      1);
  for (uint32_t i = 0; i < 15; i++) {
    for (uint32_t n = 0; n <= i; n++) ASSERT_EQ(RuleOf(&replay, Udp()), i) << n;
  }
  for (int n = 0; n < 3; n++) EXPECT_EQ(RuleOf(&replay, Udp()), 15u);
}

// A rule that marks holds by its own conditions, of each kind, and by no other.
TEST(When, MarksChangeNoCondition) {
  const std::string mark = R"("loss": {"model": "periodic", "every": 2, "ecn_mark": true})";
  // Without a timed rule, no path sets the clock: it may be before the policy's beginning.
  const auto later = [](CompiledPolicy policy) {
    SetOrigin(123 * kSecond, &policy);
    return policy;
  };
  HostReplay always(later(Compile(mark)), 1);
  HostReplay timed(Compile(R"("active": {"from": "1s"}, )" + mark), 1);
  HostReplay counted(later(Compile(R"("packets": 2, )" + mark)), 1);
  HostReplay shared(later(Compile(R"("flows": "100%", )" + mark)), 1);
  for (int n = 0; n < 4; n++) {
    EXPECT_EQ(RuleOf(&always, Udp()), 0u);
    EXPECT_EQ(RuleOf(&shared, Udp()), 0u);
    EXPECT_EQ(RuleOf(&counted, Udp()), n < 2 ? 0u : n < 3 ? 1u : 2u);
  }
  EXPECT_EQ(RuleOf(&timed, Udp()), 1u);
  timed.SetClock(kSecond);
  for (int n = 0; n < 4; n++) EXPECT_EQ(RuleOf(&timed, Udp()), 0u);
}

// The marked packets are those that would be lost; packets without ECN are lost as before.
TEST(When, MarksStandWhereLossesWouldBe) {
  const std::string loss = R"({"version": 1, "seed": 7, "default": {"loss":
      {"model": "gilbert_elliott", "p": 0.2, "r": 0.4)";
  const auto compile = [](const std::string& text) {
    return CompilePolicy(ParsePolicy(text, "test").value(), {"a"}).value();
  };
  HostReplay loses(compile(loss + "}}}"), 1), marks(compile(loss + R"(, "ecn_mark": true}}})"), 1);
  uint64_t marked = 0, lost = 0;
  for (int n = 0; n < 20000; n++) {
    const bool capable = n % 3 != 0;
    const std::vector<uint8_t> frame =
        FrameBuilder().Ipv4().Patch(1, {static_cast<uint8_t>(capable ? 2 : 0)}).Udp().Build();
    const bool fate = loses.Run(0, 0, frame).value().verdict() == TP_LOST;
    const FrameEffects verdict = marks.Run(0, 0, frame).value();
    ASSERT_EQ(verdict.verdict(), fate && !capable ? TP_LOST : TP_PASS);
    if (verdict.verdict() == TP_LOST) {
      lost++;
      continue;
    }
    ASSERT_EQ(verdict.bytes[15], capable ? (fate ? 3 : 2) : 0);
    marked += fate;
  }
  const Snapshot snapshot = marks.Snapshot();
  EXPECT_EQ(snapshot.queues[0].extras.marked.packets, marked);
  EXPECT_EQ(snapshot.queues[0].counters.verdict[TP_LOST].packets, lost);
  EXPECT_GT(marked, 3000u);
  EXPECT_GT(lost, 1500u);
}

}  // namespace
}  // namespace twinpath
