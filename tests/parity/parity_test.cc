// SPDX-License-Identifier: BSD-3-Clause
// Compares the real XDP program with the real DPDK worker, on generated frames under random
// policies. Equal means the same verdict, rule, out port and bytes for every frame in turn, and the
// same counters afterwards. The DPDK path must also decide bursts as it decides single frames.
// Needs root.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "src/dpdk/replay/replay.h"
#include "src/parity/run.h"
#include "src/parity/text.h"
#include "src/policy/egress/checksum.h"
#include "src/xdp/replay.h"
#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"
#include "tests/parity/universe.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

// Both paths under one policy each, and the bursts.
class Rig {
 public:
  static std::unique_ptr<Rig> Create(const CompiledPolicy& xdp_policy,
                                     const CompiledPolicy& dpdk_policy, uint32_t queues,
                                     uint32_t completes = 0) {
    auto xdp =
        XdpReplay::Create(xdp_policy, queues, XdpFrames::kPlain, kReplayFlowMemory, completes);
    auto dpdk = DpdkReplay::Create(dpdk_policy, queues, kReplayFlowMemory, completes);
    auto bursts = DpdkReplay::Create(dpdk_policy, queues, kReplayFlowMemory, completes);
    EXPECT_TRUE(xdp.ok()) << xdp.status();
    EXPECT_TRUE(dpdk.ok()) << dpdk.status();
    EXPECT_TRUE(bursts.ok()) << bursts.status();
    if (!xdp.ok() || !dpdk.ok() || !bursts.ok()) return nullptr;
    return std::unique_ptr<Rig>(
        new Rig(xdp_policy, *std::move(xdp), *std::move(dpdk), *std::move(bursts)));
  }

  void Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
    const absl::Status status = run_.Feed(
        port, queue, frame, [this](const ParityFrame& fed, const std::array<FrameEffects, 2>& v) {
          verdicts_.insert(v[0].verdict());
          completed_ += (v[0].effects.flags & TP_EFFECT_COMPLETE) != 0 ? 1 : 0;
          if (v[0].rule()) rules_.insert(*v[0].rule());
          return burst_check_.Feed(fed, v[1]);
        });
    ASSERT_TRUE(status.ok()) << status;
  }

  // Sets the time of conditions.
  void SetClock(uint64_t now) {
    const absl::Status finished = burst_check_.Finish();
    EXPECT_TRUE(finished.ok()) << finished;
    xdp_->SetClock(now);
    dpdk_->SetClock(now);
    bursts_->SetClock(now);
  }

  // Checks the result after all frames.
  ParityReport Finish() {
    const absl::Status finished = burst_check_.Finish();
    EXPECT_TRUE(finished.ok()) << finished;
    ParityReport report;
    report.frames = run_.frames();
    report.different = run_.different();
    report.paths = {"xdp", "dpdk"};
    report.differences = run_.differences();
    const Snapshot dpdk = dpdk_->TakeSnapshot(), xdp = xdp_->TakeSnapshot();
    report.counter_differences = SnapshotDifferences(xdp, dpdk);
    report.burst_different = burst_check_.different();
    report.burst_first = burst_check_.first();
    report.burst_counter_differences = SnapshotDifferences(dpdk, bursts_->TakeSnapshot());
    for (const Snapshot* snapshot : {&xdp, &dpdk}) {
      for (const QueueSnapshot& queue : snapshot->queues)
        EXPECT_EQ(Imbalance(queue.counters), 0) << snapshot->path;
    }
    return report;
  }

  void ExpectSame(const std::string& what) {
    const ParityReport report = Finish();
    EXPECT_TRUE(report.Same()) << what << "\n" << ParityText(report, policy_);
  }

  const ParityRun& run() const { return run_; }
  const std::set<tp_verdict>& verdicts() const { return verdicts_; }
  size_t rules_met() const { return rules_.size(); }
  uint64_t completed() const { return completed_; }

 private:
  Rig(const CompiledPolicy& policy, std::unique_ptr<XdpReplay> xdp,
      std::unique_ptr<DpdkReplay> dpdk, std::unique_ptr<DpdkReplay> bursts)
      : policy_(policy),
        xdp_(std::move(xdp)),
        dpdk_(std::move(dpdk)),
        bursts_(std::move(bursts)),
        run_(Path("xdp", xdp_.get()), Path("dpdk", dpdk_.get())),
        burst_check_(
            [this](size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
              return bursts_->RunBurst(port, queue, frames);
            },
            policy.has_flows) {}

  template <typename Replay>
  static ParityPath Path(const char* name, Replay* replay) {
    return {name, [replay](size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
              return replay->Run(port, queue, frame);
            }};
  }

  CompiledPolicy policy_;
  std::unique_ptr<XdpReplay> xdp_;
  std::unique_ptr<DpdkReplay> dpdk_, bursts_;
  ParityRun run_;
  BurstCheck burst_check_;
  std::set<tp_verdict> verdicts_;
  std::set<uint32_t> rules_;
  uint64_t completed_ = 0;  // frames whose checksums were finished
};

CompiledPolicy CompileText(const std::string& json, const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy = ParsePolicy(json, "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *std::move(compiled);
}

// A policy that matches every field, so that every word of the key matters. `malformed` is "match"
// or "drop".
CompiledPolicy WidePolicy(const std::string& seed = "7", const std::string& malformed = "drop") {
  return CompileText(R"({"version": 1, "seed": )" + seed + R"(, "malformed": ")" + malformed +
                         R"(", "rules": [
    {"name": "mac", "match": {"src_mac": "02:00:00:00:00:01", "dst_mac": "02:00:00:00:01:02"},
     "loss": {"model": "random", "rate": "20%"}, "forward": "reflect"},
    {"name": "vlan", "match": {"vlan": 5}, "loss": {"model": "random", "rate": "50%"},
     "forward": {"port": "b"}},
    {"name": "dns", "match": {"proto": "udp", "dst_port": 53}, "forward": "drop"},
    {"name": "high", "match": {"src_port": "5000-65535"}, "forward": "reflect",
     "loss": {"model": "random", "rate": "10%"}},
    {"name": "net", "match": {"src": "10.1.0.0/16", "dst": "10.2.0.0/16"},
     "loss": {"model": "random", "rate": "1%"}, "forward": {"port": "b"}},
    {"name": "host6", "match": {"dst": "2001:db8::8/125"}, "forward": {"port": "a"}},
    {"name": "none", "match": {"vlan": "none", "ip_version": 6}, "forward": {"port": "b"}},
    {"name": "arp", "match": {"ether_type": "0x0806"}, "loss": {"model": "random", "rate": "100%"}}
   ], "default": {"loss": {"model": "random", "rate": "30%"}, "forward": "pass"}})",
                     {"a", "b"});
}

// Both settings of "malformed".
class Malformed : public testing::TestWithParam<std::string> {
 protected:
  std::set<tp_verdict> Verdicts() const {
    std::set verdicts = {TP_TX, TP_PASS, TP_LOST, TP_DENIED};
    if (GetParam() == "drop") verdicts.insert(TP_MALFORMED);
    return verdicts;
  }
};
INSTANTIATE_TEST_SUITE_P(Parity, Malformed, testing::Values("match", "drop"),
                         [](const auto& setting) { return setting.param; });

TEST_P(Malformed, EveryShapeUnderAPolicyThatLooksAtEverything) {
  const CompiledPolicy policy = WidePolicy("7", GetParam());
  auto rig = Rig::Create(policy, policy, 4);
  ASSERT_NE(rig, nullptr);
  const std::vector<Shape> shapes = AllShapes();
  ASSERT_GE(shapes.size(), 2000u);
  for (size_t port : {0, 1}) {
    for (const Shape& shape : shapes) rig->Feed(port, QueueOf(shape.frame, 4), shape.frame);
  }
  rig->ExpectSame("all shapes");
  EXPECT_EQ(rig->run().frames(), 2 * shapes.size());
  EXPECT_EQ(rig->rules_met(), policy.rules.size());
  EXPECT_EQ(rig->verdicts(), Verdicts());
}

TEST_P(Malformed, EveryTruncationOfEveryShape) {
  const CompiledPolicy policy = WidePolicy("7", GetParam());
  auto rig = Rig::Create(policy, policy, 1);
  ASSERT_NE(rig, nullptr);
  // Where they are dropped, every third: it is the same parser.
  const size_t step = GetParam() == "drop" ? 3 : 1;
  for (const Shape& shape : AllShapes()) {
    for (size_t length = 0; length < shape.frame.size(); length += step)
      rig->Feed(0, 0, absl::MakeConstSpan(shape.frame).first(length));
  }
  rig->ExpectSame("all truncations");
  EXPECT_GT(rig->run().frames(), 300000u / step);
}

// In the general tier, with a state for each flow, hashes of packets and marks: frames that could
// not be read to the end have streams, hashes and marks of what was read.
TEST_P(Malformed, EveryShapeAndSomeTruncationsByFlowAndByPacket) {
  const CompiledPolicy policy =
      CompileText(R"({"version": 1, "malformed": ")" + GetParam() + R"(", "rules": [
        {"name": "flows", "match": {"malformed": true, "ether_type": "ipv4"}, "forward": "reflect",
         "loss": {"model": "gilbert_elliott", "p": "30%", "r": "30%", "scope": "flow",
                  "flow": "bidirectional", "ecn_mark": true}},
        {"name": "packets", "match": {"malformed": true}, "forward": {"port": "a"},
         "loss": {"model": "random", "rate": "40%", "scope": "packet", "ecn_mark": true}},
        {"name": "share", "flows": "50%", "match": {"proto": "tcp"},
         "loss": {"model": "random", "rate": "40%", "scope": "packet"}},
        {"name": "sound", "match": {"malformed": false}, "forward": "drop",
         "loss": {"model": "random", "rate": "40%", "scope": "flow"}}],
       "default": {"loss": {"model": "random", "rate": "30%", "scope": "flow"}}})",
                  {"a"});
  auto rig = Rig::Create(policy, policy, 1);
  ASSERT_NE(rig, nullptr);
  for (const Shape& shape : AllShapes()) {
    for (size_t length = shape.frame.size() % 17; length < shape.frame.size(); length += 17)
      rig->Feed(0, 0, absl::MakeConstSpan(shape.frame).first(length));
    rig->Feed(0, 0, shape.frame);
  }
  rig->ExpectSame("by flow and by packet");
  EXPECT_GT(rig->run().frames(), 20000u);
}

// Every shape, cut at many lengths, goes back with its flow swapped, and is asked for an answer.
TEST_P(Malformed, EveryShapeAndSomeTruncationsThatGoBack) {
  const CompiledPolicy policy =
      CompileText(R"({"version": 1, "malformed": ")" + GetParam() + R"(", "rules": [
        {"name": "swap", "match": {"port": "a"}, "forward": "reflect-flow",
         "loss": {"model": "random", "rate": "1%"}},
        {"name": "some", "match": {"vlan": 5}, "forward": "reflect-echo",
         "loss": {"model": "random", "rate": "30%", "ecn_mark": true}}],
       "default": {"forward": "reflect-echo"}})",
                  {"a", "b"});
  auto rig = Rig::Create(policy, policy, 1);
  ASSERT_NE(rig, nullptr);
  for (const Shape& shape : AllShapes()) {
    for (size_t length = shape.frame.size() % 19; length < shape.frame.size(); length += 19) {
      for (size_t port : {0, 1}) rig->Feed(port, 0, absl::MakeConstSpan(shape.frame).first(length));
    }
    for (size_t port : {0, 1}) rig->Feed(port, 0, shape.frame);
  }
  for (const Shape& shape : AllShapes()) {
    if (shape.name.find("arp") == std::string::npos && shape.name.find("echo") == std::string::npos)
      continue;
    for (size_t length = 0; length < shape.frame.size(); length++)
      rig->Feed(1, 0, absl::MakeConstSpan(shape.frame).first(length));
  }
  rig->ExpectSame("frames that go back");
  EXPECT_GT(rig->run().frames(), 40000u);
  EXPECT_EQ(rig->verdicts(), (std::set{TP_TX, TP_LOST, TP_DENIED, TP_MALFORMED}));
}

// Leaves the frame's checksum as a sender leaves it to a NIC, if it has one and is whole.
void Unfinish(std::vector<uint8_t>* frame) {
  tp_key key;
  tp_unfinished found = {};
  const uint8_t *data = frame->data(), *end = data + frame->size();
  if (tp_parse(data, end, static_cast<uint32_t>(frame->size()), 0, &key) != TP_PARSED ||
      tp_find_unfinished(data, end, &key, &found) != 0 || found.field == 0)
    return;
  const uint32_t sum = tp_pseudo_header_sum(&key, found.length);
  tp_store16(frame->data() + found.field, static_cast<uint16_t>(sum));
}

// Each test takes every n-th policy.
constexpr uint64_t kShares = 4;
class RandomPolicies : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Parity, RandomPolicies, testing::Range<uint64_t>(0, kShares));

// The environment variable PARITY_POLICIES sets the number of policies.
TEST_P(RandomPolicies, AreDecidedTheSame) {
  constexpr uint64_t kFrames = 2000;
  const std::vector<Shape> shapes = AllShapes();
  uint64_t frames = 0;
  size_t rules_met = 0;
  uint64_t completed = 0;
  const char* wanted = std::getenv("PARITY_POLICIES");
  const uint64_t all = wanted ? std::strtoull(wanted, nullptr, 10) : 40;
  uint64_t policies = 0;
  for (uint64_t number = GetParam(); number < all; number += kShares, policies++) {
    const RandomPolicy random = MakeRandomPolicy(number);
    const absl::StatusOr<CompiledPolicy> policy = Compile(random);
    ASSERT_TRUE(policy.ok()) << policy.status() << random.json;
    Universe universe(number);
    const auto completes = static_cast<uint32_t>(universe.Draw(16));
    auto rig = Rig::Create(*policy, *policy, random.queues, completes);
    ASSERT_NE(rig, nullptr) << random.json;
    // Few shapes make few flows, with many packets each.
    const size_t window = universe.Of<size_t>({20, 200, shapes.size()});
    const size_t first = universe.Draw(shapes.size() - window + 1);
    for (uint64_t i = 0; i < kFrames; i++) {
      if (i % 500 == 0) rig->SetClock(i * 1'300'000);
      std::vector<uint8_t> frame = shapes[first + universe.Draw(window)].frame;
      if (universe.Chance(4)) {
        FrameBuilder tcp;
        tcp.Ipv4().Ipv4Addresses(universe.Ipv4(), universe.Ipv4());
        frame = tcp.Tcp(universe.Port(), universe.Port()).Payload(universe.Draw(200)).Build();
      }
      if (universe.Chance(2)) Unfinish(&frame);
      if (universe.Chance(10)) frame.resize(universe.Draw(frame.size() + 1));
      rig->Feed(universe.Draw(policy->ports.size()), QueueOf(frame, random.queues), frame);
    }
    rig->ExpectSame("policy " + std::to_string(number) + "\n" + random.json);
    if (HasFailure()) return;
    frames += rig->run().frames();
    rules_met += rig->rules_met();
    completed += rig->completed();
  }
  std::cout << policies << " policies, " << frames << " frames, " << rules_met << " rules met, "
            << completed << " checksums completed\n";
  EXPECT_GT(completed, 0u);
  EXPECT_EQ(frames, policies * kFrames);
  EXPECT_GT(rules_met, policies);
}

// One stream, until packets at every place of a block were lost. Compares sequences, not rates.
TEST(Parity, LongSequencesOfOneStream) {
  for (const char* rate : {"0%", "0.01%", "1%", "50%", "99%", "100%"}) {
    const CompiledPolicy policy = CompileText(
        std::string(
            R"({"version": 1, "seed": 3, "default": {"loss": {"model": "random", "rate": ")") +
            rate + R"("}, "forward": "reflect"}})",
        {"port0"});
    auto rig = Rig::Create(policy, policy, 3);
    ASSERT_NE(rig, nullptr);
    const std::vector<uint8_t> frame = FrameBuilder().Ipv4().Udp().Payload(18).Build();
    for (uint32_t i = 0; i < 10000; i++) rig->Feed(0, i % 7 % 3, frame);
    rig->ExpectSame(rate);
  }
}

TEST(Parity, FramesFromNothingToTheLargest) {
  const CompiledPolicy policy = WidePolicy();
  auto rig = Rig::Create(policy, policy, 1);
  ASSERT_NE(rig, nullptr);
  for (size_t payload : {0,    1,    18,   1472, 1473, 1518, 2000,  2006,  2048,  3400,
                         3478, 3500, 4000, 8972, 9000, 9600, 16384, 32768, 60000, 65492}) {
    for (int i = 0; i < 8; i++) {
      FrameBuilder udp, tcp, other, odd;
      rig->Feed(0, 0, udp.Ipv4().Udp(1, static_cast<uint16_t>(i)).Payload(payload).Build());
      if (payload < 65400) {
        rig->Feed(1, 0,
                  tcp.Vlan(5)
                      .Ipv6()
                      .HopByHop(200)
                      .DestinationOptions(0)
                      .Tcp()
                      .Payload(std::min<size_t>(payload, 60000))
                      .Build());
        rig->Feed(0, 0, other.EtherType(0x88b5).Payload(payload).Build());
        rig->Feed(0, 0, odd.Ipv4().Udp().Payload(payload / 2).Padding(payload / 2).Build());
      }
    }
  }
  rig->ExpectSame("sizes");
  EXPECT_TRUE(rig->verdicts().contains(TP_TX));
  EXPECT_TRUE(rig->verdicts().contains(TP_PASS));
}

// The comparison can fail: another seed on one path shows in the verdicts and in the counters.
TEST(Parity, AnotherSeedOnOnePathIsFound) {
  auto rig = Rig::Create(WidePolicy("7"), WidePolicy("8"), 1);
  ASSERT_NE(rig, nullptr);
  for (const Shape& shape : AllShapes()) rig->Feed(0, 0, shape.frame);
  const ParityReport report = rig->Finish();
  EXPECT_GT(report.different, 500u);
  EXPECT_LT(report.different, report.frames);
  EXPECT_FALSE(report.counter_differences.empty());
  EXPECT_EQ(report.burst_different, 0u) << "the DPDK path agrees with itself";
  EXPECT_FALSE(report.Same());
}

// So do another rule, out port and action.
TEST(Parity, AnotherPolicyOnOnePathIsFound) {
  const char* json[] = {R"({"version": 1, "rules": [{"name": "a", "forward": {"port": "a"}}]})",
                        R"({"version": 1, "rules": [{"name": "a", "forward": {"port": "b"}}]})",
                        R"({"version": 1, "rules": [{"name": "a", "forward": "reflect"}]})",
                        R"({"version": 1, "rules": [{"name": "a", "forward": "pass"}]})"};
  const std::vector<uint8_t> frame = FrameBuilder().Ipv4().Udp().Build();
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < 4; j++) {
      auto rig = Rig::Create(CompileText(json[i], {"a", "b"}), CompileText(json[j], {"a", "b"}), 1);
      ASSERT_NE(rig, nullptr);
      rig->Feed(0, 0, frame);
      EXPECT_EQ(rig->Finish().Same(), i == j) << json[i] << json[j];
    }
  }
}

}  // namespace
}  // namespace twinpath
