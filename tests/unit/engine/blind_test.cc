// SPDX-License-Identifier: BSD-3-Clause
// The parts of the blind tier: dividing frames by a mask, summing their lengths, and reflecting
// them in place. Also the counters of effects.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "src/engine/decide_blind.h"
#include "src/engine/frame_effects.h"
#include "src/policy/random.h"

namespace twinpath {
namespace {

struct Item {
  uint32_t length;
};
struct ItemAccess {
  using Frame = Item;
  static uint32_t Length(const Item* item) { return item->length; }
};

std::vector<Item*> Pointers(std::vector<Item>* items) {
  std::vector<Item*> pointers;
  for (Item& item : *items) pointers.push_back(&item);
  return pointers;
}

void ExpectPartition(uint32_t count, uint64_t mask) {
  std::vector<Item> items(count);
  const std::vector<Item*> all = Pointers(&items);
  std::vector<Item*> frames = all, taken(count), kept_expected, taken_expected;
  for (uint32_t i = 0; i < count; i++)
    (mask >> i & 1 ? taken_expected : kept_expected).push_back(all[i]);
  const uint32_t kept = PartitionByMask(frames.data(), count, mask, taken.data());
  frames.resize(kept);
  taken.resize(count - kept);
  EXPECT_EQ(frames, kept_expected) << count << " " << mask;
  EXPECT_EQ(taken, taken_expected) << count << " " << mask;
}

TEST(PartitionByMask, KeepsBothSidesInOrder) {
  for (uint32_t count = 1; count <= 10; count++)
    for (uint64_t mask = 1; mask < uint64_t{1} << count; mask++) ExpectPartition(count, mask);
  for (uint64_t n = 0; n < 2000; n++) {
    const uint64_t word = tp_word(1, 2, n), sparse = word & tp_word(1, 3, n) & tp_word(1, 4, n);
    const auto count = static_cast<uint32_t>(1 + (word >> 32) % kMaxBurst);
    const uint64_t mask = (n & 1 ? word : sparse) & ~uint64_t{0} >> (64 - count);
    if (mask != 0) ExpectPartition(count, mask);
  }
  ExpectPartition(64, ~uint64_t{0});
  ExpectPartition(64, uint64_t{1} << 63);
}

TEST(FrameBytes, SumsUpBurstsOfEverySize) {
  std::vector<Item> items;
  for (uint32_t count = 0; count <= kMaxBurst; count++) {
    const std::vector<Item*> frames = Pointers(&items);
    EXPECT_EQ(FrameBytes<ItemAccess>(frames.data(), count), uint64_t{count} * (count + 1) / 2);
    items.push_back({count + 1});
  }
}

TEST(ReflectLong, SwapsAsTheShortWay) {
  std::vector<uint8_t> fast(20), slow(20);
  std::iota(fast.begin(), fast.end(), uint8_t{1});
  slow = fast;
  ReflectLong(fast.data());
  ASSERT_EQ(tp_reflect(slow.data(), slow.data() + slow.size()), 0);
  EXPECT_EQ(fast, slow);
  EXPECT_EQ(fast[0], 7);
  EXPECT_EQ(fast[6], 1);
}

// Every verdict turns into effects, and the effects turn into the same verdict.
TEST(Effects, AreCountedAsTheirVerdict) {
  for (int v = 0; v < TP_VERDICTS; v++) {
    const auto verdict = static_cast<tp_verdict>(v);
    const FrameEffects effects = FrameEffects::Of(verdict, 3, 5);
    EXPECT_EQ(effects.verdict(), verdict);
    EXPECT_EQ(effects.leaves(), verdict == TP_TX || verdict == TP_PASS);
    EXPECT_EQ(effects.rule(), 3u);
    EXPECT_EQ(effects.out_port().has_value(), verdict == TP_TX);
    tp_queue_counters counters = {};
    tp_count_add(tp_effects_count(&counters, effects.effects, effects.delivery), 1, 60);
    EXPECT_EQ(verdict == TP_TX ? counters.tx[5].packets : counters.verdict[v].packets, 1u);
  }
}

}  // namespace
}  // namespace twinpath
