// SPDX-License-Identifier: BSD-3-Clause
// The general tier's loss, for a queue with one writer and with several: whose fate a packet meets,
// and every counter, by sums that the test makes itself.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

constexpr uint64_t kPackets = 300;

std::string Json(const std::string& loss) {
  return absl::StrCat(R"({"version": 1, "seed": 7, "default": {"loss": )", loss, "}}");
}

// A UDP packet of one of two flows in turns, whose ECN field is 2 if `capable`.
std::vector<uint8_t> Frame(uint64_t number, bool capable) {
  const uint8_t tos = capable ? 2 : 0;
  return FrameBuilder()
      .Ipv4()
      .Patch(1, {tos})
      .Patch(4, {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)})
      .Udp(static_cast<uint16_t>(1000 + number % 2))
      .Payload(number % 50)
      .Build();
}

// References, so that GCC 12 does not warn of null streams where it follows the decision's own
// checks.
[[gnu::noinline]] int Take(tp_datapath& dp, const tp_rule& rule, tp_state& state,
                           const tp_packet& packet, int shared) {
  return tp_lose_general(&dp, &rule, 0, &state, &packet, shared);
}

// Takes packets of rule 0 and compares their fates and the counters. `lost(n, key)` is the fate of
// packet n. Every third packet is ECN-capable.
template <typename Lost>
void ExpectTaken(const std::string& json, int shared, Lost lost, bool marks = false) {
  SCOPED_TRACE(absl::StrCat(json, " shared ", shared));
  HostTables tables(CompileText(json), kMinFlowMemory);
  HostQueue queue(tables);
  tp_datapath* dp = queue.datapath();
  const tp_rule& rule = tables.policy().rules[0];
  uint64_t bytes = 0;
  tp_count losses = {}, marked = {};
  for (uint64_t n = 0; n < kPackets; n++) {
    std::vector<uint8_t> frame = Frame(n, n % 3 == 0);
    const tp_key key = Parse(frame).key;
    dp->data = frame.data();
    dp->end = frame.data() + frame.size();
    tp_packet packet = {static_cast<__u32>(frame.size()), &key, tp_flow_key(&rule, &key)};
    const bool is_lost = lost(&tables, n, frame);
    const bool is_marked = is_lost && marks && n % 3 == 0;
    ASSERT_EQ(Take(*dp, rule, *queue.state(), packet, shared), is_lost && !is_marked) << n;
    ASSERT_EQ(frame[15], n % 3 != 0 ? 0 : is_marked ? 3 : 2) << n;
    bytes += frame.size();
    tp_count* count = is_marked ? &marked : &losses;
    if (is_lost) *count = {count->packets + 1, count->bytes + frame.size()};
    ASSERT_EQ(queue.state()->n, n + 1);
    ASSERT_EQ(queue.state()->matched_bytes, bytes);
    ASSERT_EQ(queue.state()->lost_packets, losses.packets);
    ASSERT_EQ(queue.state()->lost_bytes, losses.bytes);
    ASSERT_EQ(queue.extras().marked.packets, marked.packets);
    ASSERT_EQ(queue.extras().marked.bytes, marked.bytes);
    if (dp->tables.rules[0].flags & TP_RULE_MARKS) {
      ASSERT_EQ(tp_extras_of_rule(dp, 0, 0)->marked.packets, marked.packets);
      ASSERT_EQ(tp_extras_of_rule(dp, 0, 0)->marked.bytes, marked.bytes);
    }
  }
}

template <typename Lost>
void ExpectTakenEitherWay(const std::string& loss, Lost lost) {
  for (int shared : {0, 1}) ExpectTaken(Json(loss), shared, lost);
}

TEST(LoseGeneral, NothingAndEverything) {
  ExpectTakenEitherWay(R"({"model": "random", "rate": 0})", [](auto...) { return false; });
  ExpectTakenEitherWay(R"({"model": "random", "rate": 1})", [](auto...) { return true; });
}

TEST(LoseGeneral, AStreamByItsModel) {
  ExpectTakenEitherWay(R"({"model": "periodic", "every": 7, "offset": 3, "burst": 2})",
                       [](auto*, uint64_t n, auto&) { return n >= 3 && (n - 3) % 7 < 2; });
  ExpectTakenEitherWay(R"({"model": "sequence", "packets": ["63-64", 127, "200-299"]})",
                       [](auto*, uint64_t n, auto&) {
                         return n == 63 || n == 64 || n == 127 || (n >= 200 && n <= 299);
                       });
  // p and r are 1: good and bad in turns, from a state that the model draws.
  HostTables tables(CompileText(Json(R"({"model": "gilbert_elliott", "p": 1, "r": 1})")));
  HostQueue queue(tables);
  const uint64_t first = static_cast<uint64_t>(queue.Lose());
  ExpectTakenEitherWay(R"({"model": "gilbert_elliott", "p": 1, "r": 1})",
                       [first](auto*, uint64_t n, auto&) { return (n + first) % 2 == 1; });
}

TEST(LoseGeneral, AFlowByItsModel) {
  // There are two flows in turns, each with numbers of its own.
  ExpectTakenEitherWay(
      R"({"model": "periodic", "every": 7, "offset": 3, "burst": 2, "scope": "flow"})",
      [](auto*, uint64_t n, auto&) { return n / 2 >= 3 && (n / 2 - 3) % 7 < 2; });
}

TEST(LoseGeneral, APacketByItsHash) {
  uint64_t lost = 0;
  ExpectTakenEitherWay(R"({"model": "random", "rate": 0.25, "scope": "packet"})",
                       [&lost](HostTables* tables, uint64_t, std::vector<uint8_t> frame) {
                         const tp_rule& rule = tables->policy().rules[0];
                         const tp_key key = Parse(frame).key;
                         tp_datapath datapath = {};
                         datapath.data = frame.data();
                         datapath.end = frame.data() + frame.size();
                         const bool below = tp_packet_hash(&datapath, &key, rule.key_a,
                                                           rule.key_b) < uint64_t{1} << 62;
                         lost += below;
                         return below;
                       });
  EXPECT_GT(lost, 2 * 50u);
  EXPECT_LT(lost, 2 * 100u);
}

// A packet whose hash is the threshold is not lost.
TEST(LoseGeneral, APacketIsLostIfItsHashIsBelowTheThreshold) {
  HostTables tables(CompileText(Json(R"({"model": "random", "rate": 0.25, "scope": "packet"})")));
  HostQueue queue(tables);
  std::vector<uint8_t> frame = Frame(1, false);
  const tp_key key = Parse(frame).key;
  queue.datapath()->data = frame.data();
  queue.datapath()->end = frame.data() + frame.size();
  tp_rule rule = tables.policy().rules[0];
  const uint64_t hash = tp_packet_hash(queue.datapath(), &key, rule.key_a, rule.key_b);
  const tp_packet packet = {60, &key, 0};
  for (int shared : {0, 1}) {
    for (const auto& [threshold, lost] : {std::pair{hash - 1, 0}, {hash, 0}, {hash + 1, 1}}) {
      rule.threshold = threshold;
      EXPECT_EQ(Take(*queue.datapath(), rule, *queue.state(), packet, shared), lost);
    }
  }
}

TEST(LoseGeneral, CapablePacketsAreMarkedInstead) {
  for (int shared : {0, 1}) {
    ExpectTaken(
        Json(R"({"model": "periodic", "every": 2, "ecn_mark": true})"), shared,
        [](auto*, uint64_t n, auto&) { return n % 2 == 0; }, true);
    ExpectTaken(
        Json(R"({"model": "periodic", "every": 2})"), shared,
        [](auto*, uint64_t n, auto&) { return n % 2 == 0; }, false);
  }
}

}  // namespace
}  // namespace twinpath
