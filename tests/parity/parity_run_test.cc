// SPDX-License-Identifier: BSD-3-Clause
// The comparison of `twinpath parity`, with paths that a test can make differ: equal frames count
// as equal, and each kind of difference is found, counted and shown.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "src/parity/run.h"
#include "src/parity/text.h"
#include "tests/parity/host_replay.h"
#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

constexpr char kPolicy[] = R"({
  "version": 1, "seed": 7,
  "rules": [{"name": "half", "match": {"proto": "udp"}, "loss": {"model": "random", "rate": "50%"},
             "forward": {"port": "wan"}},
            {"name": "turn", "match": {"port": "lan", "proto": "tcp"}, "forward": "reflect"}],
  "default": {"forward": "pass"}
})";

CompiledPolicy MakePolicy(std::string seed = "7") {
  std::string json = kPolicy;
  json.replace(json.find("\"seed\": 7"), 9, "\"seed\": " + seed);
  absl::StatusOr<Policy> policy = ParsePolicy(json, "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, {"lan", "wan"});
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *std::move(compiled);
}

// A path whose verdicts `change` may alter.
ParityPath Path(const std::string& name, std::shared_ptr<HostReplay> replay,
                std::function<void(uint64_t n, FrameEffects*)> change = nullptr) {
  auto count = std::make_shared<uint64_t>(0);
  return {name, [=](size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
            absl::StatusOr<FrameEffects> verdict = replay->Run(port, queue, frame);
            if (change) change((*count)++, &*verdict);
            return verdict;
          }};
}

std::shared_ptr<HostReplay> Replay(const std::string& seed = "7", uint32_t queues = 1) {
  return std::make_shared<HostReplay>(MakePolicy(seed), queues);
}

std::vector<uint8_t> Udp() { return FrameBuilder().Ipv4().Udp(5000, 53).Payload(20).Build(); }
std::vector<uint8_t> Tcp() { return FrameBuilder().Vlan(5).Ipv6().Tcp(80, 443).Build(); }

TEST(ParityRun, TheSameDecisionIsEqualOnEveryFrame) {
  ParityRun run(Path("xdp", Replay()), Path("dpdk", Replay()));
  for (const Shape& shape : AllShapes()) ASSERT_TRUE(run.Feed(0, 0, shape.frame).ok());
  EXPECT_EQ(run.frames(), AllShapes().size());
  EXPECT_EQ(run.equal(), run.frames());
  EXPECT_TRUE(run.differences().empty());
}

TEST(ParityRun, AnotherSeedIsFound) {
  ParityRun run(Path("xdp", Replay("7")), Path("dpdk", Replay("8")));
  for (int i = 0; i < 1000; i++) ASSERT_TRUE(run.Feed(0, 0, Udp()).ok());
  EXPECT_GT(run.different(), 400u) << "two coins";
  EXPECT_LT(run.different(), 600u);
  EXPECT_EQ(run.equal() + run.different(), 1000u);
  EXPECT_EQ(run.differences().size(), 10u);
}

TEST(ParityRun, EveryKindOfDifferenceIsFound) {
  using Change = std::function<void(FrameEffects*)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"verdict", [](FrameEffects* v) { v->effects.fate = TP_FATE_DENIED; }},
      {"rule", [](FrameEffects* v) { v->effects.rule = 0; }},
      {"no rule", [](FrameEffects* v) { v->effects.rule = TP_NO_RULE; }},
      {"out port", [](FrameEffects* v) { v->effects.to = 1; }},
      {"to the kernel", [](FrameEffects* v) { v->effects.to = TP_TO_KERNEL; }},
      {"many", [](FrameEffects* v) { v->effects.many = 1; }},
      {"copies", [](FrameEffects* v) { v->effects.copies = 1; }},
      {"flags", [](FrameEffects* v) { v->effects.flags = 1; }},
      {"corrupt", [](FrameEffects* v) { v->effects.corrupt = 1; }},
      {"rewrite", [](FrameEffects* v) { v->effects.rewrite = 1; }},
      {"delay", [](FrameEffects* v) { v->effects.delay = 1; }},
      {"delivery", [](FrameEffects* v) { v->delivery = TP_REFUSED; }},
      {"a byte", [](FrameEffects* v) { v->bytes.back() ^= 1; }},
      {"a byte more", [](FrameEffects* v) { v->bytes.push_back(0); }},
      {"a byte less", [](FrameEffects* v) { v->bytes.pop_back(); }},
  };
  for (const auto& [name, change] : changes) {
    ParityRun run(Path("xdp", Replay()),
                  Path("dpdk", Replay(), [&change = change](uint64_t n, FrameEffects* v) {
                    if (n == 3) change(v);
                  }));
    for (int i = 0; i < 8; i++) ASSERT_TRUE(run.Feed(0, 0, Tcp()).ok());
    EXPECT_EQ(run.different(), 1u) << name;
    ASSERT_EQ(run.differences().size(), 1u) << name;
    EXPECT_EQ(run.differences()[0].n, 3u);
    EXPECT_EQ(run.differences()[0].bytes, Tcp());
  }
}

TEST(ParityRun, AFrameThatIsLeftOutKeepsItsNumber) {
  ParityRun run(Path("xdp", Replay()), Path("dpdk", Replay()));
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 6; i++) {
    if (i % 3 == 1) {
      run.Skip();
      continue;
    }
    ASSERT_TRUE(run.Feed(0, 0, Udp(),
                         [&](const ParityFrame& frame, const auto&) {
                           numbers.push_back(frame.n);
                           return absl::OkStatus();
                         })
                    .ok());
  }
  EXPECT_EQ(numbers, (std::vector<uint64_t>{0, 2, 3, 5}));
  EXPECT_EQ(run.frames(), 4u);
  EXPECT_EQ(run.skipped(), 2u);
}

TEST(ParityRun, AFailureNamesTheFrameAndThePath) {
  ParityPath broken = {"dpdk", [](size_t, uint32_t, absl::Span<const uint8_t>) {
                         return absl::StatusOr<FrameEffects>(absl::UnavailableError("no more"));
                       }};
  ParityRun run(Path("xdp", Replay()), broken);
  const absl::Status status = run.Feed(0, 0, Udp());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "frame 0 (62 bytes) on the dpdk path: no more");
  EXPECT_EQ(run.frames(), 0u);
}

TEST(QueueOf, SpreadsFlowsAndKeepsEachTogether) {
  std::vector<int> seen(4, 0);
  bool directions_part = false;
  for (uint16_t port = 0; port < 400; port++) {
    const auto there = FrameBuilder().Ipv4().Udp(port, 53).Payload(port % 9).Build();
    const auto again = FrameBuilder().Vlan(9).Ipv4().Udp(port, 53).Build();
    const auto back =
        FrameBuilder().Ipv4().Ipv4Addresses(0x0a020002, 0x0a010001).Udp(53, port).Build();
    const uint32_t queue = QueueOf(there, 4);
    ASSERT_LT(queue, 4u);
    EXPECT_EQ(QueueOf(again, 4), queue);
    directions_part |= QueueOf(back, 4) != queue;
    EXPECT_EQ(QueueOf(there, 1), 0u);
    seen[queue]++;
  }
  for (int flows : seen) EXPECT_GT(flows, 60);
  EXPECT_TRUE(directions_part);
  EXPECT_EQ(QueueOf(FrameBuilder().EtherType(0x0806).Payload(28).Build(), 4), 0u);
  EXPECT_EQ(QueueOf(FrameBuilder().Ipv4().Patch(0, {0x40}).Udp().Build(), 4), 0u) << "malformed";
  EXPECT_EQ(QueueOf({}, 4), 0u);
}

TEST(SnapshotDifferences, NameEachCounterThatDiffers) {
  auto a = Replay("7", 2), b = Replay("7", 2);
  for (HostReplay* replay : {a.get(), b.get()}) {
    for (int i = 0; i < 10; i++) ASSERT_TRUE(replay->Run(0, i % 2, Tcp()).ok());
  }
  EXPECT_TRUE(SnapshotDifferences(a->Snapshot(), b->Snapshot()).empty());
  ASSERT_TRUE(b->Run(1, 1, Tcp()).ok());
  EXPECT_EQ(SnapshotDifferences(a->Snapshot(), b->Snapshot()),
            (std::vector<std::string>{
                "port wan queue 1 rx: 0 packets, 0 bytes and 1 packets, 78 bytes",
                "port wan queue 1 pass: 0 packets, 0 bytes and 1 packets, 78 bytes",
                "rule default matched: 0 packets, 0 bytes and 1 packets, 78 bytes"}));
  EXPECT_FALSE(SnapshotDifferences(a->Snapshot(), Replay("7", 1)->Snapshot()).empty());
  EXPECT_FALSE(SnapshotDifferences(Replay("7", 1)->Snapshot(), a->Snapshot()).empty());
}

// Feeds UDP and TCP frames on two queues. The check sees the verdicts of the bursts after `change`.
BurstCheck CheckBursts(std::function<void(std::vector<std::optional<FrameEffects>>*)> change,
                       size_t* largest) {
  auto alone = Replay("7", 2), together = Replay("7", 2);
  BurstCheck check(
      [=](size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
        *largest = std::max(*largest, frames.size());
        std::vector<std::optional<FrameEffects>> left;
        for (const std::vector<uint8_t>& frame : frames) {
          FrameEffects verdict = *together->Run(port, queue, frame);
          verdict.effects.rule = TP_NO_RULE;
          const bool leaves = verdict.leaves();
          left.push_back(leaves ? std::optional(verdict) : std::nullopt);
        }
        change(&left);
        return absl::StatusOr<std::vector<std::optional<FrameEffects>>>(left);
      },
      false);
  for (uint64_t n = 0; n < 200; n++) {
    const std::vector<uint8_t> bytes = n % 3 ? Udp() : Tcp();
    const ParityFrame frame = {n, 0, static_cast<uint32_t>(n % 5 == 0), bytes};
    EXPECT_TRUE(check.Feed(frame, *alone->Run(0, frame.queue, bytes)).ok());
  }
  EXPECT_TRUE(check.Finish().ok());
  EXPECT_TRUE(check.Finish().ok()) << "nothing is left";
  return check;
}

TEST(BurstCheck, TheSameFramesLeaveInBursts) {
  size_t largest = 0;
  const BurstCheck check = CheckBursts([](auto*) {}, &largest);
  EXPECT_EQ(check.different(), 0u);
  EXPECT_FALSE(check.first());
  EXPECT_EQ(largest, 32u);
}

TEST(BurstCheck, FindsWhatABurstDoesOtherwise) {
  size_t largest = 0;
  const BurstCheck lost = CheckBursts([](auto* left) { left->back().reset(); }, &largest);
  EXPECT_GT(lost.different(), 0u);
  const BurstCheck swapped =
      CheckBursts([](auto* left) { std::reverse(left->begin(), left->end()); }, &largest);
  EXPECT_GT(swapped.different(), 50u);
  ASSERT_TRUE(swapped.first());
  EXPECT_LT(*swapped.first(), 32u);
}

TEST(ParityText, ShowsWhatDiffers) {
  const CompiledPolicy policy = MakePolicy();
  ParityReport report;
  report.paths = {"xdp", "dpdk"};
  report.frames = 20;
  EXPECT_TRUE(report.Same());
  EXPECT_EQ(ParityText(report, policy), "frames 20, equal 20, different 0\n");
  report.different = 2;
  ParityDifference difference;
  difference.n = 17;
  difference.queue = 1;
  difference.bytes = Udp();
  difference.effects[0] = FrameEffects::Of(TP_LOST, 0);
  difference.effects[1] = FrameEffects::Of(TP_TX, 0, 1, Udp());
  report.differences = {difference};
  EXPECT_FALSE(report.Same());
  EXPECT_EQ(ParityText(report, policy),
            "frames 20, equal 18, different 2\n"
            "\n"
            "frame 17: port lan, queue 1, 62 bytes\n"
            "  xdp   lost       rule half\n"
            "  dpdk  tx         rule half  out wan  62 bytes leave\n"
            "  IPv4 udp 10.1.0.1:5000 > 10.2.0.2:53\n"
            "    0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00\n"
            "    0010  00 30 12 34 00 00 40 11 54 84 0a 01 00 01 0a 02\n"
            "    0020  00 02 13 88 00 35 00 1c 00 00 80 81 82 83 84 85\n"
            "    0030  86 87 88 89 8a 8b 8c 8d 8e 8f 90 91 92 93\n"
            "\n"
            "and 1 more frames differ\n");
}

TEST(ParityText, DescribesFrames) {
  EXPECT_EQ(DescribeFrame(Tcp()), "IPv6 tcp [2001:db8::1]:80 > [2001:db8::2]:443, vlan 5");
  EXPECT_EQ(DescribeFrame(FrameBuilder().Vlan(1).Vlan(2).EtherType(0x0806).Payload(28).Build()),
            "EtherType 0x0806, vlan 1 and 2");
  EXPECT_EQ(DescribeFrame(FrameBuilder().Ipv4(17).Fragment(1, true).Payload(8).Build()),
            "IPv4 udp 10.1.0.1 > 10.2.0.2, later fragment");
  EXPECT_EQ(DescribeFrame({}), "malformed");
  EXPECT_EQ(DescribeFrame(FrameBuilder().Ipv4().Patch(0, {0x40}).Udp().Build()),
            "EtherType 0x0800, malformed");
  EXPECT_EQ(DescribeFrame(FrameBuilder().Ipv4().Udp().Patch(4, {0, 7}).Build()),
            "IPv4 udp 10.1.0.1 > 10.2.0.2, malformed");
  FrameBuilder nine;
  nine.Ipv6();
  for (int i = 0; i < 9; i++) nine.DestinationOptions();
  EXPECT_EQ(DescribeFrame(nine.Build()), "IPv6 2001:db8::1 > 2001:db8::2");
}

TEST(VerdictJson, IsOneLineAFrameAndPath) {
  const CompiledPolicy policy = MakePolicy();
  const std::vector<uint8_t> bytes = Tcp();
  const ParityFrame frame = {5, 0, 2, bytes};
  EXPECT_EQ(VerdictJson("xdp", frame, FrameEffects::Of(TP_MALFORMED), policy)->dump(),
            R"({"path":"xdp","n":5,"port":"lan","queue":2,"rule":null,"verdict":"malformed",)"
            R"("out_port":null,"sha256":null})");
  EXPECT_EQ(
      VerdictJson("dpdk", frame, FrameEffects::Of(TP_TX, 1, 0, {'a', 'b', 'c'}), policy)->dump(),
      R"({"path":"dpdk","n":5,"port":"lan","queue":2,"rule":"turn","verdict":"tx",)"
      R"("out_port":"lan","sha256":)"
      R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"})");
}

}  // namespace
}  // namespace twinpath
