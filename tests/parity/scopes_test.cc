// SPDX-License-Identifier: BSD-3-Clause
// Scope "flow": packet n of a flow meets the same fate on the DPDK path and on the XDP path, on
// one, two or four queues, regardless of the queues of its packets. Scope "packet": the same for a
// packet, whose own bytes decide. With the real worker and the real program. Needs root.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/dpdk/replay/replay.h"
#include "src/parity/run.h"
#include "src/xdp/replay.h"
#include "tests/parity/universe.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

constexpr uint32_t kFlows = 200, kFrames = 3000;

struct FlowFrame {
  uint32_t pair;  // the flow, both ways
  bool answer;
  std::vector<uint8_t> bytes;
};

// A frame of this pair, of one of ten kinds. `n` is its number among the pair's packets.
FlowFrame Make(uint32_t pair, bool answer, uint32_t n) {
  const uint8_t high = static_cast<uint8_t>(pair >> 8), low = static_cast<uint8_t>(pair);
  const uint8_t there = answer ? 2 : 1, back = answer ? 1 : 2;
  const uint16_t src = answer ? 443 : 5000, dst = answer ? 5000 : 443;
  FrameBuilder f;
  const uint32_t kind = pair % 10;
  if (kind == 8) {
    f.Mac({2, 0, 0, back, high, low}, {2, 0, 0, there, high, low}).Payload(40 + n % 9);
    return {pair, answer, f.Build()};
  }
  if (kind == 9) f.Vlan(static_cast<uint16_t>(n % 4095));
  const bool v6 = kind == 2 || kind == 3 || kind == 5 || kind == 7;
  const uint32_t hosts = 0x0a000000 + pair;
  if (v6)
    f.Ipv6(58).Patch(20, {there, 0, high, low}).Patch(36, {back, 0, high, low}).Patch(7, {low});
  else
    f.Ipv4(kind == 4 ? 1 : 17).Ipv4Addresses(hosts | there << 16, hosts | back << 16);
  const bool fragments = kind == 6 || kind == 7, later = n % 2;
  if (fragments) f.Fragment(later ? 5 : 0, !later);
  if (fragments && later && v6) f.Patch(0, {17});
  if (kind == 4) f.Icmp();
  if (kind == 5) f.Icmpv6();
  if (kind == 1 || kind == 3) f.Tcp(src, dst, static_cast<uint8_t>(n % 2 ? 0x10 : 0x18));
  if (kind == 0 || kind == 2 || kind == 9 || (fragments && !later)) f.Udp(src, dst);
  f.Payload(16 + n % 5);
  return {pair, answer, f.Build()};
}

std::vector<FlowFrame> Capture() {
  Universe universe(1);
  std::vector<uint32_t> packets(kFlows);
  std::vector<FlowFrame> capture;
  while (capture.size() < kFrames) {
    const uint32_t pair = static_cast<uint32_t>(universe.Draw(kFlows));
    capture.push_back(Make(pair, universe.Chance(3), packets[pair]++));
  }
  return capture;
}

CompiledPolicy Compile(bool both_ways) {
  return CompilePolicy(ParsePolicy(std::string(R"({"version": 1, "seed": 7, "default": {"loss":
                 {"model": "gilbert_elliott", "p": 0.2, "r": 0.4, "loss_good": 0.05,
                  "scope": "flow", "flow": ")") +
                                       (both_ways ? "bidirectional" : "unidirectional") + R"("}}})",
                                   "test")
                           .value(),
                       {"a"})
      .value();
}

// The fates of each flow's packets: 'x' lost, '.' received.
using FlowFates = std::map<std::pair<uint32_t, bool>, std::string>;
using Place = std::function<uint32_t(const FlowFrame&)>;

template <typename Replay>
FlowFates Run(Replay* replay, const std::vector<FlowFrame>& capture, bool both_ways,
              const Place& place) {
  FlowFates fates;
  for (const FlowFrame& frame : capture) {
    const absl::StatusOr<FrameEffects> verdict = replay->Run(0, place(frame), frame.bytes);
    EXPECT_TRUE(verdict.ok()) << verdict.status();
    if (!verdict.ok()) break;
    EXPECT_TRUE(verdict->verdict() == TP_LOST || verdict->verdict() == TP_PASS);
    fates[{frame.pair, !both_ways && frame.answer}] += verdict->verdict() == TP_LOST ? 'x' : '.';
  }
  return fates;
}

// The first run, the worker with one queue, tells the expected fates.
void ExpectSameEverywhere(bool both_ways) {
  const std::vector<FlowFrame> capture = Capture();
  const CompiledPolicy policy = Compile(both_ways);
  FlowFates expected;
  for (uint32_t queues : {1, 2, 4}) {
    for (bool scattered : {false, true}) {
      if (queues == 1 && scattered) continue;
      Universe universe(queues);
      const Place place = [&](const FlowFrame& frame) {
        return scattered ? static_cast<uint32_t>(universe.Draw(queues))
                         : QueueOf(frame.bytes, queues);
      };
      const std::string how = std::to_string(queues) + (scattered ? " scattered" : "");
      auto dpdk = DpdkReplay::Create(policy, queues);
      ASSERT_TRUE(dpdk.ok()) << dpdk.status();
      const FlowFates on_dpdk = Run(dpdk->get(), capture, both_ways, place);
      if (expected.empty()) expected = on_dpdk;
      EXPECT_EQ(on_dpdk, expected) << "dpdk " << how;
      for (auto frames : {XdpFrames::kPlain, XdpFrames::kShared}) {
        if (frames == XdpFrames::kShared && !(scattered && queues == 4)) continue;
        auto xdp = XdpReplay::Create(policy, queues, frames);
        ASSERT_TRUE(xdp.ok()) << xdp.status();
        EXPECT_EQ(Run(xdp->get(), capture, both_ways, place), expected) << "xdp " << how;
      }
    }
  }
  // All kinds of flows occur, and each has its own sequence.
  EXPECT_GE(expected.size(), both_ways ? kFlows : 2 * kFlows - 20);
  std::map<std::string, int> sequences;
  size_t lost = 0;
  for (const auto& [flow, fates] : expected) {
    sequences[fates.substr(0, 12)]++;
    for (char fate : fates) lost += fate == 'x';
  }
  EXPECT_GT(sequences.size(), expected.size() / 4);
  EXPECT_NEAR(static_cast<double>(lost) / kFrames, 0.05 + 0.95 / 3, 0.04);
}

TEST(FlowScope, AFlowMeetsTheSameFatesOnAnyQueueAndPath) { ExpectSameEverywhere(false); }

TEST(FlowScope, BothWaysTogetherToo) { ExpectSameEverywhere(true); }

// TCP segments without payload, whose checksum is in the last hashed bytes.
TEST(PacketScope, AChecksumChangesNoFateOnEitherPath) {
  const CompiledPolicy policy =
      CompilePolicy(ParsePolicy(R"({"version": 1, "seed": 7, "default": {"loss":
          {"model": "random", "rate": 0.5, "scope": "packet"}}})",
                                "test")
                        .value(),
                    {"a"})
          .value();
  auto dpdk = DpdkReplay::Create(policy, 2);
  auto xdp = XdpReplay::Create(policy, 2);
  auto generic = XdpReplay::Create(policy, 2, XdpFrames::kShared);
  ASSERT_TRUE(dpdk.ok()) << dpdk.status();
  ASSERT_TRUE(xdp.ok()) << xdp.status();
  ASSERT_TRUE(generic.ok()) << generic.status();
  int lost = 0;
  for (int n = 0; n < 400; n++) {
    const uint8_t low = static_cast<uint8_t>(n), high = static_cast<uint8_t>(n >> 8);
    FrameBuilder f;
    if (n % 2)
      f.Ipv6();
    else
      f.Ipv4();
    f.Tcp().Patch(6, {high, low});  // the sequence number
    std::set<tp_verdict> verdicts;
    for (uint8_t checksum : {0, 77}) {
      const std::vector<uint8_t> frame = f.Patch(16, {checksum, low}).Build();
      verdicts.insert((*dpdk)->Run(0, checksum != 0, frame).value().verdict());
      verdicts.insert((*xdp)->Run(0, checksum != 0, frame).value().verdict());
      verdicts.insert((*generic)->Run(0, checksum != 0, frame).value().verdict());
    }
    ASSERT_EQ(verdicts.size(), 1u) << n;
    lost += verdicts.contains(TP_LOST);
  }
  EXPECT_NEAR(lost, 200, 39);
}

}  // namespace
}  // namespace twinpath
