// SPDX-License-Identifier: BSD-3-Clause
// `twinpath explain` tells what the decision does: rule, verdict, port and bytes of packet n are
// those of the n-th packet that passes through the host's tables.

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "src/explain/frame.h"
#include "src/explain/packet.h"
#include "src/explain/unread.h"
#include "tests/parity/host_replay.h"
#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

struct Made {
  Policy policy;
  CompiledPolicy compiled;
};

Made Make(const std::string& json, const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy = ParsePolicy(json, "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return {*std::move(policy), *std::move(compiled)};
}

// Decides `count` packets like the request's, and compares each with its explanation. Returns the
// last explanation.
Explanation Compare(const Made& made, ExplainRequest request, uint64_t count,
                    std::multiset<tp_verdict>* seen) {
  HostReplay replay(made.compiled, request.queue + 1);
  replay.SetClock(request.at_ns);
  Explanation last;
  for (request.number = 0; request.number < count; request.number++) {
    const absl::StatusOr<FrameEffects> verdict =
        replay.Run(request.port, request.queue, request.frame);
    const absl::StatusOr<Explanation> told = Explain(made.policy, made.compiled, request);
    EXPECT_TRUE(told.ok()) << told.status();
    if (!told.ok()) return last;
    EXPECT_EQ(told->effects, *verdict) << "packet " << request.number;
    EXPECT_EQ(told->refusals.size(), verdict->rule().value_or(0));
    seen->insert(verdict->verdict());
    last = *told;
  }
  return last;
}

TEST(Explain, AgreesWithTheDecisionOnEveryShapeUnderRandomPolicies) {
  const std::vector<Shape> shapes = AllShapes();
  std::multiset<tp_verdict> seen;
  for (uint64_t number = 0; number < 40; number++) {
    const RandomPolicy random = MakeRandomPolicy(number);
    const Made made = Make(random.json, random.ports);
    for (size_t i = number; i < shapes.size(); i += 97) {
      SCOPED_TRACE(testing::Message() << "policy " << number << ", " << shapes[i].name);
      const ExplainRequest request = {shapes[i].frame, i % random.ports.size(),
                                      static_cast<uint32_t>(i % 3), 0, i % 5 * 1'000'000'000};
      Compare(made, request, 3, &seen);
      if (HasFailure()) return;
    }
  }
  for (tp_verdict verdict : {TP_TX, TP_PASS, TP_LOST, TP_DENIED, TP_MALFORMED})
    EXPECT_GT(seen.count(verdict), 20u) << verdict;
}

constexpr uint64_t kPackets = 300;  // over several blocks of 64

std::vector<uint8_t> Frame(const std::string& five_tuple) {
  absl::StatusOr<std::vector<uint8_t>> frame = FrameOfFiveTuple(five_tuple);
  EXPECT_TRUE(frame.ok()) << frame.status();
  return *std::move(frame);
}

TEST(Explain, AgreesWithTheDecisionOnPacketNOfEveryModel) {
  const std::vector<uint8_t> frames[] = {Frame("tcp 10.0.0.1:1234 192.0.2.1:80"),
                                         Frame("udp [2001:db8::1]:5000 [2001:db8::2]:53")};
  for (const std::string loss : {
           R"("model": "random", "rate": "30%")",
           R"("model": "correlated", "rate": "30%", "correlation": "60%")",
           R"("model": "gilbert_elliott", "p": "10%", "r": "30%", "loss_bad": "80%",
              "loss_good": "5%")",
           R"("model": "gilbert_elliott", "p": "1", "r": "50%")",
           R"("model": "four_state", "p13": "10%", "p31": "30%", "p32": "20%", "p23": "40%",
              "p14": "5%")",
           R"("model": "four_state", "p13": "100%", "p31": "50%", "p32": "50%")",
           R"("model": "periodic", "every": 7, "offset": 66, "burst": 3)",
           R"("model": "sequence", "packets": [3, "60-70", 250], "repeat": 257)",
           R"("model": "sequence", "packets": [0, "5-6"], "repeat": 9)",
       }) {
    for (const std::string more : {R"()", R"(, "scope": "flow")", R"(, "ecn_mark": true)",
                                   R"(, "scope": "flow", "flow": "bidirectional")"}) {
      SCOPED_TRACE(loss + more);
      const Made made =
          Make(R"({"version": 1, "seed": 5, "default": {"loss": {)" + loss + more + "}}}", {"lan"});
      std::multiset<tp_verdict> seen;
      for (const std::vector<uint8_t>& frame : frames) {
        const Explanation last = Compare(made, {frame, 0, 1, 0, 0}, kPackets, &seen);
        ASSERT_TRUE(last.stream.has_value());
        EXPECT_EQ(last.stream->n, kPackets - 1);
      }
      EXPECT_GT(seen.count(TP_LOST), 10u);
      EXPECT_GT(seen.count(TP_PASS), 10u);
    }
  }
}

TEST(Explain, PacketsOfTheirOwnHashMeetTheSameFateAgain) {
  const Made made = Make(R"({"version": 1, "default": {"loss": {"model": "random", "rate": "50%",
                             "scope": "packet"}}})",
                         {"lan"});
  std::multiset<tp_verdict> seen;
  for (uint16_t port = 1; port <= 64; port++) {
    const std::vector<uint8_t> frame = FrameBuilder().Ipv4().Udp(port, 53).Payload(20).Build();
    const Explanation last = Compare(made, {frame, 0, 0, 0, 0}, 2, &seen);
    EXPECT_FALSE(last.stream.has_value());
    ASSERT_EQ(last.draws.size(), 1u);
    EXPECT_EQ(last.draws[0].threshold, uint64_t{1} << 63);
  }
  EXPECT_GT(seen.count(TP_LOST), 20u);
  EXPECT_GT(seen.count(TP_PASS), 20u);
}

TEST(Explain, ConditionsTakeTheirTurnAndAreTold) {
  const Made made = Make(R"({"version": 1, "seed": 1, "rules": [
      {"name": "timed", "active": {"from": "10s", "for": "2s", "every": "30s"}, "forward": "drop"},
      {"name": "few", "packets": 70, "flows": "50%", "match": {"proto": "udp"},
       "loss": {"model": "random", "rate": "50%"}, "forward": "reflect"},
      {"name": "more", "packets": 100, "match": {"proto": "udp"},
       "loss": {"model": "gilbert_elliott", "p": "20%", "r": "20%", "scope": "flow"}}],
      "default": {"loss": {"model": "periodic", "every": 3}}})",
                         {"lan"});
  std::multiset<tp_verdict> seen;
  std::set<size_t> first_refusals;
  for (uint16_t port = 1; port <= 16; port++) {
    const std::vector<uint8_t> frame = FrameBuilder().Ipv4().Udp(port, 53).Build();
    const Explanation last = Compare(made, {frame, 0, 0, 0, 0}, 250, &seen);
    ASSERT_EQ(last.refusals.size(), 3u);
    EXPECT_EQ(last.refusals[0].reason,
              "it matches, but is active for 2 s of every 30 s, from 10 s on, not at 0 s");
    EXPECT_EQ(last.refusals[2].reason,
              "it matches, but its packets on this port and queue are used up: 100");
    const bool in_share = last.refusals[1].field == "packets";
    EXPECT_EQ(last.refusals[1].reason,
              in_share ? "it matches, but its packets on this port and queue are used up: 70"
                       : "it matches, but this flow is not among the 50 % of flows that it holds "
                         "for");
    EXPECT_EQ(last.stream->n, in_share ? 79u : 149u);
    first_refusals.insert(in_share);
  }
  EXPECT_EQ(first_refusals.size(), 2u);
  seen.clear();
  Compare(made, {FrameBuilder().Ipv4().Udp().Build(), 0, 0, 0, 41'000'000'000}, 3, &seen);
  EXPECT_EQ(seen.count(TP_DENIED), 3u);
}

TEST(Explain, AMarkIsToldAndWhatHasNoEcnIsLost) {
  const Made made = Make(R"({"version": 1, "default": {"loss": {"model": "random", "rate": "100%",
                             "ecn_mark": true}}})",
                         {"lan"});
  std::multiset<tp_verdict> seen;
  const std::vector<uint8_t> ect = FrameBuilder().Ipv4().Patch(1, {0x02}).Tcp().Build();
  Explanation told = Compare(made, {ect, 0, 0, 0, 0}, 2, &seen);
  EXPECT_TRUE(told.marked);
  EXPECT_EQ(told.mark, "ECN ect0 becomes ce instead, and the IPv4 header's checksum 0x5497 0x5496");
  told = Compare(made, {FrameBuilder().Ipv4().Tcp().Build(), 0, 0, 0, 0}, 1, &seen);
  EXPECT_EQ(told.mark, "ecn_mark: not-ect, so it is lost");
  EXPECT_EQ(seen, (std::multiset<tp_verdict>{TP_PASS, TP_PASS, TP_LOST}));
}

// The sum of the bytes as 16-bit words: 0xffff if a checksum among them is right (RFC 1071).
uint32_t OnesSum(absl::Span<const uint8_t> bytes, uint32_t sum) {
  for (size_t i = 0; i < bytes.size(); i++) sum += uint32_t{bytes[i]} << (i % 2 ? 0 : 8);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(Explain, FiveTuplesBecomePacketsWithRightChecksums) {
  for (const auto& [five_tuple, proto, bytes] :
       {std::tuple("tcp 10.0.0.1:1234 192.0.2.1:80", 6, 20),
        std::tuple("udp 10.0.0.1:1234 192.0.2.1:80", 17, 8)}) {
    const std::vector<uint8_t> frame = Frame(five_tuple);
    const absl::Span<const uint8_t> ip = absl::MakeSpan(frame).subspan(14);
    EXPECT_EQ(OnesSum(ip.subspan(0, 20), 0), 0xffffu);
    EXPECT_EQ(OnesSum(ip.subspan(12, 8u + static_cast<size_t>(bytes)),
                      static_cast<uint32_t>(proto + bytes)),
              0xffffu);
  }
  const std::vector<uint8_t> echo = Frame("icmp 10.0.0.1 192.0.2.1");
  EXPECT_EQ(OnesSum(absl::MakeSpan(echo).subspan(34, 8), 0), 0xffffu);
  const std::vector<uint8_t> echo6 = Frame("icmpv6 2001:db8::1 2001:db8::2");
  EXPECT_EQ(OnesSum(absl::MakeSpan(echo6).subspan(22, 40), 58 + 8), 0xffffu);
}

// The reason, and what is wrong.
std::string Wrong(const std::vector<uint8_t>& frame) {
  const std::optional<Unread> unread = FindUnread(frame);
  return unread ? std::string(UnreadReason(unread->reason)) + ": " + unread->about : "";
}

TEST(Explain, WhyAFrameIsNotReadToTheEndIsTold) {
  using F = FrameBuilder;
  const std::vector<uint8_t> udp = F().Ipv4().Udp().Payload(20).Build();
  const auto first = [&](long bytes) {
    return Wrong(std::vector<uint8_t>(udp.begin(), udp.begin() + bytes));
  };
  EXPECT_EQ(Wrong(udp), "");
  EXPECT_EQ(first(13), "cut: its Ethernet header needs 14 bytes, but the frame has 13");
  EXPECT_EQ(Wrong(F().EtherType(0x8100).Bytes({0, 1}).Build()),
            "cut: its VLAN tag needs 4 bytes, but the frame has 2");
  EXPECT_EQ(first(33), "cut: its IPv4 header needs 20 bytes, but the frame has 19");
  EXPECT_EQ(first(61),
            "cut: its IPv4 header announces a datagram of 48 bytes, but the frame has 47");
  EXPECT_EQ(Wrong(F().Ipv4().Patch(0, {0x65}).Build()),
            "contradiction: its IPv4 header says version 6");
  EXPECT_EQ(Wrong(F().Ipv4().Patch(0, {0x44}).Build()),
            "contradiction: its IPv4 header announces a header of 16 bytes; the minimum is 20");
  EXPECT_EQ(Wrong(F().Ipv4().Patch(2, {0, 19}).Build()),
            "contradiction: its IPv4 header has 20 bytes, the whole datagram 19");
  EXPECT_EQ(Wrong(F().Ipv4().Patch(2, {5, 220}).Build()),
            "cut: its IPv4 header announces a datagram of 1,500 bytes, but the frame has 20");
  EXPECT_EQ(Wrong(F().Ipv4(6).Fragment(0, true).Payload(4).Build()),
            "cut: its TCP header needs 20 bytes, but the first fragment has 4 left");
  EXPECT_EQ(Wrong(F().Ipv4(6).Payload(4).Build()),
            "contradiction: its TCP header needs 20 bytes, but the datagram has 4 left");
  EXPECT_EQ(Wrong(F().Ipv4().Tcp().Patch(12, {0x40}).Build()),
            "contradiction: its TCP header announces 16 bytes; the minimum is 20");
  EXPECT_EQ(Wrong(F().Ipv4().Udp().Patch(4, {0, 7}).Build()),
            "contradiction: its UDP header announces 7 bytes; the minimum is 8");
  EXPECT_EQ(Wrong(F().Ipv4().Udp().Patch(4, {0, 9}).Build()),
            "contradiction: its UDP header announces 9 bytes, but the IP datagram has 8");
  EXPECT_EQ(Wrong(F().Ipv6().Patch(4, {0, 100}).Payload(6).Build()),
            "cut: its IPv6 header announces 100 bytes, but the frame has 6");
  EXPECT_EQ(Wrong(F().Ipv6(17).Payload(6).Build()),
            "contradiction: its UDP header needs 8 bytes, but the datagram has 6 left");
  EXPECT_EQ(Wrong(F().Ipv6().Authentication(0).Patch(1, {0}).Build()),
            "contradiction: its authentication header announces 8 bytes; the minimum is 12");
  EXPECT_EQ(Wrong(F().Ipv6().HopByHop().Patch(1, {1}).Build()),
            "contradiction: its IPv6 extension header of type 0 needs 16 bytes, but the datagram "
            "has 8 left");
  EXPECT_EQ(Wrong(F().Ipv6().DestinationOptions(130).Udp().Build()),
            "too deep: its UDP header begins at byte 1,102, and only the headers that begin in the "
            "first 1,024 bytes are read");
  FrameBuilder nine;
  nine.Ipv6();
  for (int i = 0; i < 9; i++) nine.DestinationOptions();
  EXPECT_EQ(Wrong(nine.Udp().Build()),
            "too deep: it has more than 8 IPv6 extension headers, and the rest is not read");
}

// A separate parser makes the words. It must agree with the decision's parser on every frame.
TEST(Explain, TheReasonIsThatOfTheDecisionsParserOnEveryTruncationOfEveryShape) {
  size_t reasons[4] = {};
  for (const Shape& shape : AllShapes()) {
    std::vector<uint8_t> frame = shape.frame;
    for (size_t length = frame.size() + 1; length-- > 0;) {
      frame.resize(length);
      tp_key key;
      const int result =
          tp_parse(frame.data(), frame.data() + length, static_cast<uint32_t>(length), 0, &key);
      const std::optional<Unread> unread = FindUnread(frame);
      ASSERT_EQ(unread ? unread->reason : TP_PARSED, result) << shape.name << " at " << length;
      reasons[result]++;
    }
  }
  for (const size_t frames : reasons) EXPECT_GT(frames, 100u);
}

TEST(Explain, AMalformedFrameMeetsRulesUnlessThePolicyDropsIt) {
  const std::string rules = R"("rules": [{"name": "dns", "match": {"dst_port": 53}},
      {"name": "net", "match": {"dst": "10.2.0.0/16"}, "forward": "drop"}]})";
  const std::vector<uint8_t> frame = FrameBuilder().Ipv4().Udp(1, 53).Patch(4, {0, 7}).Build();
  std::multiset<tp_verdict> seen;
  const Explanation met =
      Compare(Make(R"({"version": 1, )" + rules, {"lan"}), {frame, 0, 0, 0, 0}, 1, &seen);
  EXPECT_FALSE(met.dropped);
  EXPECT_EQ(met.malformed, "its UDP header announces 7 bytes; the minimum is 8");
  EXPECT_EQ(met.unread->reason, TP_PARSE_CONTRADICTION);
  ASSERT_EQ(met.refusals.size(), 1u);
  EXPECT_EQ(met.refusals[0].reason, "dst_port: the udp header could not be read");
  const Explanation dropped =
      Compare(Make(R"({"version": 1, "malformed": "drop", )" + rules, {"lan"}), {frame, 0, 0, 0, 0},
              1, &seen);
  EXPECT_TRUE(dropped.dropped);
  EXPECT_EQ(dropped.malformed, met.malformed);
  EXPECT_EQ(seen, (std::multiset<tp_verdict>{TP_DENIED, TP_MALFORMED}));
}

TEST(Explain, NumbersFarOutAreReachedWhereNothingHasToBeWalked) {
  auto lost = [](const std::string& loss, uint64_t number) -> absl::StatusOr<bool> {
    const Made made = Make(R"({"version": 1, "default": {"loss": {)" + loss + "}}}", {"lan"});
    const ExplainRequest request = {FrameBuilder().Ipv4().Build(), 0, 0, number, 0};
    absl::StatusOr<Explanation> told = Explain(made.policy, made.compiled, request);
    if (!told.ok()) return told.status();
    return told->lost;
  };
  const std::string periodic = R"("model": "periodic", "every": 1000000000, "offset": 17)";
  EXPECT_TRUE(*lost(periodic, 7'000'000'017));
  EXPECT_FALSE(*lost(periodic, 7'000'000'018));
  const std::string chain = R"("model": "gilbert_elliott", "p": "50%", "r": "50%")";
  EXPECT_TRUE(lost(chain, kMaxWalkedPackets).ok());
  EXPECT_EQ(
      lost(chain, kMaxWalkedPackets + 1).status().message(),
      "--number: found 10000001, allowed at most 10000000 for a loss with memory, such as that "
      "of rule default");
}

}  // namespace
}  // namespace twinpath
