// SPDX-License-Identifier: BSD-3-Clause
// The models without draws, periodic and sequence, lose exactly the packets of their definition: at
// the edges of the blocks of 64 packets that are computed at once, over a million packets, and at
// packet numbers that are too high to reach by counting.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/lib/fates.h"
#include "tests/unit/lib/host_tables.h"

namespace twinpath {
namespace {

constexpr size_t kBlocks = 15625;  // of 64 packets: a million

std::string Json(const std::string& loss) {
  return absl::StrCat(R"({"version": 1, "default": {"loss": {)", loss, "}}}");
}

// Periods

bool PeriodicallyLost(uint64_t n, uint64_t every, uint64_t offset, uint64_t burst) {
  return n >= offset && (n - offset) % every < burst;
}

void ExpectPeriodic(uint64_t every, uint64_t offset, uint64_t burst, size_t blocks) {
  HostTables tables(
      CompileText(Json(absl::StrCat(R"("model": "periodic", "every": )", every, R"(, "offset": )",
                                    offset, R"(, "burst": )", burst))));
  HostQueue queue(tables);
  const Fates fates = FatesOf(&queue, blocks);
  for (size_t n = 0; n < 64 * blocks; n++)
    ASSERT_EQ(At(fates, n), PeriodicallyLost(n, every, offset, burst))
        << "every " << every << " offset " << offset << " burst " << burst << " packet " << n;
}

TEST(Models, PeriodicLosesExactlyWhatItSays) {
  for (uint64_t every : {1, 2, 3, 7, 31, 32, 33, 63, 64, 65, 100, 127, 128, 1000}) {
    for (uint64_t offset : {0, 1, 5, 63, 64, 65, 200, 1500}) {
      std::vector<uint64_t> bursts = {1, 2, every / 2, every - 1, every};
      std::sort(bursts.begin(), bursts.end());
      bursts.erase(std::unique(bursts.begin(), bursts.end()), bursts.end());
      for (uint64_t burst : bursts) {
        if (burst >= 1 && burst <= every) ExpectPeriodic(every, offset, burst, 50);
      }
    }
  }
  ExpectPeriodic(uint64_t{1} << 32, 100, 70, 50);
  ExpectPeriodic(uint64_t{1} << 32, 3000, uint64_t{1} << 32, 100);
  ExpectPeriodic(1000, 999, 1, kBlocks);
  ExpectPeriodic(97, 12345, 13, kBlocks);
}

// Lists

using Ranges = std::vector<PacketRange>;

void ExpectSequence(const Ranges& ranges, uint64_t repeat, size_t blocks) {
  std::string packets;
  for (const PacketRange& range : ranges)
    absl::StrAppend(&packets, packets.empty() ? "" : ", ", "\"", range.first, "-", range.last,
                    "\"");
  std::string json = absl::StrCat(R"("model": "sequence", "packets": [)", packets, "]");
  if (repeat) absl::StrAppend(&json, R"(, "repeat": )", repeat);
  HostTables tables(CompileText(Json(json)));
  HostQueue queue(tables);
  const Fates fates = FatesOf(&queue, blocks);
  for (size_t n = 0; n < 64 * blocks; n++) {
    const uint64_t number = repeat ? n % repeat : n;
    bool listed = false;
    for (const PacketRange& range : ranges) listed |= range.first <= number && number <= range.last;
    ASSERT_EQ(At(fates, n), listed) << json << " packet " << n;
  }
}

// At least one range within 0 to `end` - 1, with gaps between ranges.
Ranges SomeRanges(uint64_t end, std::mt19937* random) {
  Ranges ranges;
  for (uint64_t at = (*random)() % 3 % end; at < end;) {
    const uint64_t last = std::min<uint64_t>(end - 1, at + (*random)() % ((*random)() % 70 + 1));
    ranges.push_back({at, last});
    at = last + 2 + (*random)() % ((*random)() % 90 + 1);
  }
  return ranges;
}

TEST(Models, SequenceLosesExactlyWhatItLists) {
  std::mt19937 random(1);
  for (uint64_t repeat = 1; repeat <= 200; repeat++) {
    for (int list = 0; list < 4; list++) ExpectSequence(SomeRanges(repeat, &random), repeat, 20);
    ExpectSequence({{0, repeat - 1}}, repeat, 10);
    ExpectSequence({{repeat - 1, repeat - 1}}, repeat, 10);
  }
  for (int list = 0; list < 200; list++) {
    const uint64_t end = 1 + random() % 2000;
    ExpectSequence(SomeRanges(end, &random), 0, 40);
    ExpectSequence(SomeRanges(end, &random), end + random() % 3, 40);
  }
  for (uint64_t first : {0, 1, 62, 63, 64, 65, 127, 128}) {
    for (uint64_t length : {1, 2, 63, 64, 65, 66, 128, 129, 300})
      ExpectSequence({{first, first + length - 1}}, 0, 10);
  }
  ExpectSequence({{3, 3}, {64, 127}, {129, 1000}, {500000, 500064}}, 0, kBlocks);
  ExpectSequence({{3, 3}, {64, 127}, {129, 1000}, {50000, 50064}}, 54321, kBlocks);
}

// A block far away can be computed directly.
TEST(Models, FarPacketsAreFound) {
  const uint64_t far = (uint64_t{1} << 48) - 130;
  HostTables listed(CompileText(
      Json(absl::StrCat(R"("model": "sequence", "packets": [5, ")", far, "-", far + 70, "\"]"))));
  HostTables regular(CompileText(
      Json(R"("model": "periodic", "every": 4294967295, "offset": 4294967295, "burst": 4000)")));
  HostQueue list(listed), period(regular);
  const auto fate = [](HostQueue* queue, uint64_t n) {
    __u64 markov = 0;
    const tp_block block = {0, 0, n / 64};
    return tp_rule_fates(queue->datapath(), 0, &block, &markov) >> n % 64 & 1;
  };
  for (uint64_t n = far - 200; n < far + 300; n++)
    ASSERT_EQ(fate(&list, n), n >= far && n <= far + 70) << n;
  for (uint64_t round : {1, 2, 1000}) {
    const uint64_t start = round * 4294967295;
    for (uint64_t n = start - 200; n < start + 4200; n++)
      ASSERT_EQ(fate(&period, n), n >= start && n < start + 4000) << n;
  }
}

// A chain's walk over a block, by masks of where it leaves which state. Odd states lose: BURST and
// ISOLATED.
TEST(Models, AChainWalksFromChangeToChange) {
  constexpr uint64_t kAll = ~uint64_t{0}, kLast = uint64_t{1} << 63;
  const auto walk = [](tp_ways ways, __u64 state, __u64 end) {
    const uint64_t odd = tp_markov_walk(&ways, &state);
    EXPECT_EQ(state, end);
    return odd;
  };
  EXPECT_EQ(walk({0, 0, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_GAP), 0u);
  EXPECT_EQ(walk({0, 0, 0, 0, 0}, TP_MARKOV_BURST, TP_MARKOV_BURST), kAll);
  EXPECT_EQ(walk({0, 0, 0, 0, 0}, TP_MARKOV_SPARED, TP_MARKOV_SPARED), 0u);
  EXPECT_EQ(walk({0, 0, 0, 0, 0}, TP_MARKOV_ISOLATED, TP_MARKOV_GAP), 1u);
  // The state before a packet decides its fate; a change at the last one is seen in the next block.
  EXPECT_EQ(walk({kLast, kAll, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_BURST), 0u);
  EXPECT_EQ(walk({kLast, 0, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_ISOLATED), 0u);
  EXPECT_EQ(walk({0, 0, kLast, kAll, 0}, TP_MARKOV_BURST, TP_MARKOV_GAP), kAll);
  EXPECT_EQ(walk({0, 0, kLast, 0, 0}, TP_MARKOV_BURST, TP_MARKOV_SPARED), kAll);
  EXPECT_EQ(walk({0, 0, 0, 0, kLast}, TP_MARKOV_SPARED, TP_MARKOV_BURST), 0u);
  for (int bit = 0; bit < 63; bit++) {
    const uint64_t at = uint64_t{1} << bit, until = at | (at - 1);
    EXPECT_EQ(walk({at, at, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_BURST), ~until) << bit;
    EXPECT_EQ(walk({at, 0, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_GAP), at << 1) << bit;
    EXPECT_EQ(walk({0, 0, at, at, 0}, TP_MARKOV_BURST, TP_MARKOV_GAP), until) << bit;
    EXPECT_EQ(walk({0, 0, at, 0, 0}, TP_MARKOV_BURST, TP_MARKOV_SPARED), until) << bit;
    EXPECT_EQ(walk({0, 0, 0, 0, at}, TP_MARKOV_SPARED, TP_MARKOV_BURST), ~until) << bit;
  }
  // A change with every packet.
  EXPECT_EQ(walk({kAll, kAll, kAll, kAll, 0}, TP_MARKOV_GAP, TP_MARKOV_GAP), 0xaaaaaaaaaaaaaaaau);
  EXPECT_EQ(walk({kAll, 0, 0, 0, 0}, TP_MARKOV_GAP, TP_MARKOV_GAP), 0xaaaaaaaaaaaaaaaau);
  EXPECT_EQ(walk({0, 0, kAll, 0, kAll}, TP_MARKOV_BURST, TP_MARKOV_BURST), 0x5555555555555555u);
}

uint64_t Block(HostQueue* queue, uint32_t rule, uint64_t number) {
  __u64 markov = 0;
  const tp_block block = {0, 0, number};
  return tp_rule_fates(queue->datapath(), rule, &block, &markov);
}

// As many intervals as a policy may have: each of these packets is one.
TEST(Models, TheLongestSequenceIsSearchedToItsEnd) {
  std::string packets;
  for (uint64_t i = 0; i < TP_MAX_INTERVALS; i++)
    absl::StrAppend(&packets, i == 0 ? "" : ", ", 128 * i + i % 64);
  HostTables tables(
      CompileText(Json(absl::StrCat(R"("model": "sequence", "packets": [)", packets, "]"))));
  ASSERT_EQ(tables.policy().intervals.size(), size_t{TP_MAX_INTERVALS});
  HostQueue queue(tables);
  for (uint64_t i = 0; i < TP_MAX_INTERVALS; i++) {
    ASSERT_EQ(Block(&queue, 0, 2 * i), uint64_t{1} << i % 64) << i;
    ASSERT_EQ(Block(&queue, 0, 2 * i + 1), 0u) << i;
  }
}

// The intervals of all sequences are in one table. A search stays within those of its own.
TEST(Models, SequencesOfTwoRulesDoNotMeet) {
  HostTables tables(CompileText(R"({"version": 1, "rules": [
      {"name": "a", "match": {"proto": 1}, "loss": {"model": "sequence", "packets": ["64-69"]}},
      {"name": "b", "match": {"proto": 2}, "loss": {"model": "sequence", "packets": [7, 130]}},
      {"name": "c", "match": {"proto": 3}, "loss": {"model": "sequence", "packets": [1, 200]}}]})"));
  HostQueue queue(tables);
  const std::vector<std::vector<uint64_t>> expected = {
      {0, 0x3f, 0, 0, 0}, {1 << 7, 0, 1 << 2, 0, 0}, {1 << 1, 0, 0, 1 << 8, 0}};
  for (uint32_t rule = 0; rule < 3; rule++) {
    for (uint64_t block = 0; block < 5; block++)
      EXPECT_EQ(Block(&queue, rule, block), expected[rule][block]) << rule << " " << block;
  }
}

}  // namespace
}  // namespace twinpath
