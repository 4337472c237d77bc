// SPDX-License-Identifier: BSD-3-Clause
// The real XDP programs of every tier and the real DPDK worker finish the same transport checksums,
// according to the model (checksum_model.h), and change nothing else. Needs root.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/dpdk/replay/replay.h"
#include "src/policy/parse.h"
#include "src/xdp/replay.h"
#include "tests/unit/lib/checksum_model.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

// A policy for each tier. What is not tagged leaves by b.
const std::pair<const char*, const char*> kPolicies[] = {
    {"blind", R"({"version": 1, "default": {"forward": {"port": "b"}}})"},
    {"tuple", R"({"version": 1, "rules": [{"name": "r", "match": {"proto": "tcp"},
        "forward": {"port": "b"}}], "default": {"forward": {"port": "b"}}})"},
    {"headers", R"({"version": 1, "rules": [{"name": "r", "match": {"vlan": 5},
        "forward": "reflect"}], "default": {"forward": {"port": "b"}}})"},
    {"general", R"({"version": 1, "rules": [{"name": "r", "packets": 1000000,
        "forward": {"port": "b"}}], "default": {"forward": "drop"}})"}};

CompiledPolicy CompileText(const std::string& json) {
  auto policy = ParsePolicy(json, "test");
  EXPECT_TRUE(policy.ok()) << policy.status();
  auto compiled = CompilePolicy(*policy, {"a", "b"});
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *std::move(compiled);
}

// Every path, with the ports of `completes` finishing checksums.
struct Paths {
  std::unique_ptr<XdpReplay> native;
  std::unique_ptr<DpdkReplay> dpdk;

  Paths(const CompiledPolicy& policy, uint32_t completes) {
    auto plain = XdpReplay::Create(policy, 1, XdpFrames::kPlain, kReplayFlowMemory, completes);
    auto worker = DpdkReplay::Create(policy, 1, kReplayFlowMemory, completes);
    EXPECT_TRUE(plain.ok() && worker.ok()) << plain.status() << worker.status();
    native = *std::move(plain);
    dpdk = *std::move(worker);
  }

  // What every path does with the frame, which must be the same.
  FrameEffects Run(size_t port, const std::vector<uint8_t>& frame, const std::string& what) {
    auto first = native->Run(port, 0, frame);
    auto second = dpdk->Run(port, 0, frame);
    EXPECT_TRUE(first.ok() && second.ok()) << what;
    EXPECT_EQ(*first, *second) << what;
    return *std::move(first);
  }
};

// TCP or UDP with `payload` bytes, whose length and place this function computes by itself.
Datagram Make(bool v6, uint8_t proto, size_t payload, int tags = 0, size_t options = 0,
              size_t padding = 0) {
  Datagram d;
  FrameBuilder f;
  for (int i = 0; i < tags; i++) f.Vlan(static_cast<uint16_t>(7 + i));
  d.ip = 14 + 4 * static_cast<size_t>(tags);
  d.v6 = v6;
  if (v6) {
    f.Ipv6();
    if (options != 0) f.HopByHop(options / 8 - 1);
  } else {
    f.Ipv4();
    if (options != 0) f.Options(options);
  }
  d.transport = d.ip + (v6 ? 40 : 20) + options;
  d.proto = proto;
  if (proto == 6)
    f.Tcp();
  else
    f.Udp();
  d.length = (proto == 6 ? 20 : 8) + payload;
  std::vector<uint8_t> bytes(payload);
  for (size_t i = 0; i < payload; i++) bytes[i] = static_cast<uint8_t>(i * 37 + (i >> 8) * 11 + 1);
  f.Bytes(bytes).Padding(padding);
  d.frame = f.Build();
  return d;
}

bool Completed(const FrameEffects& effects) {
  return (effects.effects.flags & TP_EFFECT_COMPLETE) != 0;
}

class Tiers : public testing::TestWithParam<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Checksums, Tiers, testing::ValuesIn(kPolicies),
                         [](const auto& tier) { return std::string(tier.param.first); });

TEST_P(Tiers, UnfinishedOnesAreFinishedAsTheModelSays) {
  Paths paths(CompileText(GetParam().second), 1);
  // Around each size in which a path adds, an mbuf, a page, and the largest that every path takes.
  for (const size_t payload :
       {0,    1,    2,    3,    4,    5,    31,    43,    44,   45,   63,   64,
        65,   236,  255,  256,  257,  491,  492,   493,   511,  512,  513,  1000,
        1023, 1447, 1448, 1449, 2000, 2047, 2048,  2049,  3000, 3400, 3466, 3500,
        4000, 4095, 4097, 8191, 8948, 8949, 20001, 60000, 65000}) {
    for (const bool v6 : {false, true}) {
      for (const uint8_t proto : {6, 17}) {
        const auto tags = static_cast<int>(payload % 3);
        Datagram d = Make(v6, proto, payload, tags, payload % 2 * 8, payload % 5);
        const std::string what =
            absl::StrCat(payload, v6 ? " bytes over IPv6, " : " bytes over IPv4, ", int{proto});
        Unfinish(&d);
        const FrameEffects sent = paths.Run(0, d.frame, what);
        EXPECT_TRUE(Completed(sent)) << what;
        Finish(&d);
        EXPECT_EQ(sent.bytes, d.frame) << what;
        EXPECT_FALSE(Completed(paths.Run(0, d.frame, what))) << what << ", finished";
        Unfinish(&d);
        EXPECT_EQ(paths.Run(1, d.frame, what).bytes, d.frame) << what << ", by a port that leaves";
      }
    }
  }
}

TEST_P(Tiers, AllSumsAreFoldedRight) {
  Paths paths(CompileText(GetParam().second), 1);
  // Payloads that bring the sum to every value near the carries, and the checksum to 0.
  for (const bool v6 : {false, true}) {
    for (const uint8_t proto : {6, 17}) {
      Datagram d = Make(v6, proto, 6);
      for (uint32_t word = 0; word < 0x10000; word += word < 16 || word > 0xffe0 ? 1 : 251) {
        d.frame[d.transport + d.length - 6] = static_cast<uint8_t>(word >> 8);
        d.frame[d.transport + d.length - 5] = static_cast<uint8_t>(word);
        Unfinish(&d);
        const std::vector<uint8_t> before = d.frame;
        Finish(&d);
        EXPECT_EQ(paths.Run(0, before, absl::StrCat(word)).bytes, d.frame) << word;
      }
      // The checksum itself becomes 0 for TCP, and 0xffff for UDP, whose 0 means none.
      const uint32_t last =
          OnesSum({d.frame[d.transport + d.length - 6], d.frame[d.transport + d.length - 5]});
      const uint32_t sum = 0xffffU - ((d.frame[d.field()] << 8 | d.frame[d.field() + 1]) & 0xffffU);
      const uint32_t rest = (sum + 0xffff - last) % 0xffff;
      const auto word = static_cast<uint16_t>(0xffff - rest);
      d.frame[d.transport + d.length - 6] = static_cast<uint8_t>(word >> 8);
      d.frame[d.transport + d.length - 5] = static_cast<uint8_t>(word);
      Unfinish(&d);
      const FrameEffects sent = paths.Run(0, d.frame, "zero");
      Finish(&d);
      EXPECT_EQ(sent.bytes, d.frame);
      const uint8_t octet = proto == 17 ? 0xff : 0;
      EXPECT_EQ(sent.bytes[d.field()], octet);
      EXPECT_EQ(sent.bytes[d.field() + 1], octet);
    }
  }
}

TEST_P(Tiers, EverythingElseIsLeft) {
  Paths paths(CompileText(GetParam().second), 1);
  const auto left = [&](const Datagram& d, const std::string& what) {
    const FrameEffects sent = paths.Run(0, d.frame, what);
    EXPECT_FALSE(Completed(sent)) << what;
    if (sent.leaves()) {
      EXPECT_EQ(sent.bytes, d.frame) << what;
    }
  };
  for (const bool v6 : {false, true}) {
    Datagram udp = Make(v6, 17, 100);
    SetField(&udp, 0);
    left(udp, "UDP without a checksum");
    Datagram tcp = Make(v6, 6, 100);
    Finish(&tcp);
    left(tcp, "a finished checksum");
    tcp.frame[tcp.field()] ^= 1;
    left(tcp, "a wrong checksum");
    Unfinish(&tcp);
    tcp.frame[tcp.field() + 1] ^= 1;
    left(tcp, "nearly unfinished");
  }
  // Fragments: the datagram is not at hand. The sum is the one that their own lengths make.
  for (const bool more : {false, true}) {
    for (const uint16_t offset : {0, 1}) {
      if (offset == 0 && !more) continue;
      Datagram d = Make(false, 6, 100);
      d.frame = FrameBuilder().Ipv4().Fragment(offset, more).Tcp().Payload(100).Build();
      Unfinish(&d);
      left(d, absl::StrCat("IPv4 fragment at ", offset));
      Datagram six = Make(true, 6, 100);
      six.frame = FrameBuilder().Ipv6().Fragment(offset, more).Tcp().Payload(100).Build();
      six.transport += 8;
      Unfinish(&six);
      left(six, absl::StrCat("IPv6 fragment at ", offset));
    }
  }
  // A frame that is cut within its datagram.
  Datagram cut = Make(false, 6, 100);
  Unfinish(&cut);
  cut.frame.resize(cut.frame.size() - 1);
  left(cut, "cut");
  // Another protocol, with the right sum at TCP's place.
  Datagram other = Make(false, 6, 100);
  other.frame[23] = other.proto = 132;
  other.proto = 6;
  Unfinish(&other);
  left(other, "SCTP");
}

// In generic mode the kernel knows which checksums are unfinished, also when the frame leaves.
TEST(Generic, FramesStayAsTheyAre) {
  auto replay = XdpReplay::Create(CompileText(kPolicies[0].second), 1, XdpFrames::kShared,
                                  kReplayFlowMemory, 3);
  ASSERT_TRUE(replay.ok()) << replay.status();
  Datagram d = Make(false, 6, 100);
  Unfinish(&d);
  const auto sent = (*replay)->Run(0, 0, d.frame);
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->verdict(), TP_TX);
  EXPECT_EQ(sent->bytes, d.frame);
}

// The kernel behind XDP finds the frame's own note of its checksum.
TEST(Passed, FramesStayAsTheyAre) {
  Paths paths(CompileText(R"({"version": 1, "default": {"forward": "pass"}})"), 3);
  Datagram d = Make(false, 6, 100);
  Unfinish(&d);
  const FrameEffects passed = paths.Run(0, d.frame, "passed");
  EXPECT_FALSE(Completed(passed));
  EXPECT_EQ(passed.bytes, d.frame);
}

TEST(Lost, FramesAreNotCounted) {
  Paths paths(CompileText(R"({"version": 1, "default":
    {"loss": {"model": "random", "rate": "100%"}, "forward": {"port": "b"}}})"),
              3);
  Datagram d = Make(false, 6, 100);
  Unfinish(&d);
  EXPECT_FALSE(Completed(paths.Run(0, d.frame, "lost")));
  EXPECT_EQ(paths.dpdk->TakeSnapshot().queues[0].extras.checksums_completed, 0u);
}

}  // namespace
}  // namespace twinpath
