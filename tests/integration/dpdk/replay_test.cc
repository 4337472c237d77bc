// SPDX-License-Identifier: BSD-3-Clause
// The replay: reads every verdict of the real worker, for single frames and for bursts. One thread.
// Starts EAL once.

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <numeric>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/dpdk/replay/replay.h"

namespace twinpath {
namespace {

using Frame = std::vector<uint8_t>;

constexpr size_t kIn = 0, kOut = 1;

CompiledPolicy Compile(const std::string& json) {
  auto policy = ParsePolicy(json, "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  auto compiled = CompilePolicy(*policy, {"in", "out"});
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *compiled;
}

std::unique_ptr<DpdkReplay> Replay(const std::string& json, uint32_t queues = 1) {
  auto replay = DpdkReplay::Create(Compile(json), queues);
  EXPECT_TRUE(replay.ok()) << replay.status();
  return *std::move(replay);
}

// A frame of the bytes 0, 1, 2..., with an EtherType that no rule matches.
Frame Plain(size_t length) {
  Frame frame(length);
  std::iota(frame.begin(), frame.end(), uint8_t{0});
  if (length >= 14) frame[12] = 0x88, frame[13] = 0xb5;
  return frame;
}

// A UDP datagram over IPv4 from port 1000 to `to`.
Frame Udp(uint16_t to, size_t payload = 0) {
  Frame frame(42 + payload, 0);
  frame[12] = 0x08;
  frame[14] = 0x45;
  const auto total = static_cast<uint16_t>(28 + payload);
  const auto length = static_cast<uint16_t>(8 + payload);
  frame[16] = static_cast<uint8_t>(total >> 8), frame[17] = static_cast<uint8_t>(total);
  frame[23] = 17;
  frame[34] = 1000 >> 8, frame[35] = 1000 & 255;
  frame[36] = static_cast<uint8_t>(to >> 8), frame[37] = static_cast<uint8_t>(to);
  frame[38] = static_cast<uint8_t>(length >> 8), frame[39] = static_cast<uint8_t>(length);
  return frame;
}

FrameEffects RunOne(DpdkReplay& replay, size_t port, uint32_t queue, const Frame& frame) {
  auto verdict = replay.Run(port, queue, frame);
  EXPECT_TRUE(verdict.ok()) << verdict.status();
  return verdict.ok() ? *verdict : FrameEffects{};
}

constexpr char kEveryVerdict[] = R"({"version": 1, "malformed": "drop", "rules": [
  {"name": "to", "match": {"dst_port": 1}, "forward": {"port": "out"}},
  {"name": "back", "match": {"dst_port": 2}, "forward": "reflect"},
  {"name": "kernel", "match": {"dst_port": 3}, "forward": "pass"},
  {"name": "deny", "match": {"dst_port": 4}, "forward": "drop"},
  {"name": "lose", "match": {"dst_port": 5}, "loss": {"model": "random", "rate": 1}, "forward": "pass"}],
  "default": {"forward": {"port": "out"}}})";

TEST(DpdkReplay, TellsEveryVerdictWithItsRuleAndBytes) {
  auto replay = Replay(kEveryVerdict, 2);
  for (uint32_t queue : {0u, 1u}) {
    Frame frame = Udp(1);
    EXPECT_EQ(RunOne(*replay, kIn, queue, frame), FrameEffects::Of(TP_TX, 0, kOut, frame));
    frame = Udp(2);
    frame[0] = 2;
    Frame swapped = frame;
    std::swap_ranges(swapped.begin(), swapped.begin() + 6, swapped.begin() + 6);
    EXPECT_EQ(RunOne(*replay, kIn, queue, frame), FrameEffects::Of(TP_TX, 1, kIn, swapped));
    EXPECT_EQ(RunOne(*replay, kOut, queue, Udp(3)), FrameEffects::Of(TP_PASS, 2, 0, Udp(3)));
    EXPECT_EQ(RunOne(*replay, kIn, queue, Udp(4)), FrameEffects::Of(TP_DENIED, 3, 0, {}));
    EXPECT_EQ(RunOne(*replay, kIn, queue, Udp(5)), FrameEffects::Of(TP_LOST, 4, 0, {}));
    EXPECT_EQ(RunOne(*replay, kIn, queue, Plain(60)), FrameEffects::Of(TP_TX, 5, kOut, Plain(60)));
    EXPECT_EQ(RunOne(*replay, kIn, queue, Plain(13)),
              FrameEffects::Of(TP_MALFORMED, TP_NO_RULE, 0, {}));
  }
}

TEST(DpdkReplay, CarriesFramesOfEveryLengthWhole) {
  auto replay = Replay(R"({"version": 1, "default": {"forward": {"port": "out"}}})");
  for (size_t length : {0, 1, 13, 14, 60, 1514, 2047, 2048, 2049, 9018, 65535}) {
    const Frame frame = Plain(length);
    EXPECT_EQ(RunOne(*replay, kIn, 0, frame), FrameEffects::Of(TP_TX, 0, kOut, frame)) << length;
  }
}

TEST(DpdkReplay, AFrameTooShortToReflectIsMalformedUnderItsRule) {
  auto replay = Replay(R"({"version": 1, "default": {"forward": "reflect"}})");
  EXPECT_EQ(RunOne(*replay, kIn, 0, Plain(13)), FrameEffects::Of(TP_MALFORMED, 0, 0, {}));
  EXPECT_EQ(RunOne(*replay, kIn, 0, Plain(14)).verdict(), TP_TX);
}

// A burst is decided like its frames one by one, with policies that read headers and policies that
// do not.
TEST(DpdkReplay, BurstsAndSingleFramesAgree) {
  for (const char* rules :
       {R"([])", R"([{"name": "x", "match": {"dst_port": 9}, "forward": "pass"}])"}) {
    const std::string json = std::string(R"({"version": 1, "seed": 3, "rules": )") + rules +
                             R"(, "default": {"loss": {"model": "random", "rate": "50%"},
                                 "forward": {"port": "out"}}})";
    auto one = Replay(json), many = Replay(json);
    uint32_t lost = 0;
    for (size_t size : {1, 2, 63, 64, 64, 7, 64, 33}) {
      std::vector<Frame> frames;
      for (size_t i = 0; i < size; i++) frames.push_back(Udp(static_cast<uint16_t>(8 + i % 3), i));
      auto burst = many->RunBurst(kIn, 0, frames);
      ASSERT_TRUE(burst.ok()) << burst.status();
      for (size_t i = 0; i < size; i++) {
        FrameEffects alone = RunOne(*one, kIn, 0, frames[i]);
        const bool leaves = alone.leaves();
        alone.effects.rule = TP_NO_RULE;
        lost += alone.verdict() == TP_LOST;
        EXPECT_EQ((*burst)[i], leaves ? std::optional(alone) : std::nullopt);
      }
    }
    EXPECT_GT(lost, 50u);
    EXPECT_EQ(one->TakeSnapshot().queues[0].counters.verdict[TP_LOST].packets, lost);
    EXPECT_EQ(many->TakeSnapshot().queues[0].counters.verdict[TP_LOST].packets, lost);
    EXPECT_EQ(Imbalance(many->TakeSnapshot().queues[0].counters), 0);
  }
}

TEST(DpdkReplay, HundredThousandFramesTakeSeconds) {
  auto replay = Replay(kEveryVerdict, 4);
  const Frame frame = Udp(1, 500);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100000; i++)
    ASSERT_EQ(RunOne(*replay, kIn, static_cast<uint32_t>(i % 4), frame).verdict(), TP_TX);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace twinpath
