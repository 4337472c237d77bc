// SPDX-License-Identifier: BSD-3-Clause
// The parts of the blind tier: dividing frames by a mask, summing their lengths, and reflecting
// them in place. Also the counters of effects.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
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

struct Bytes {
  std::vector<uint8_t> data;
};
struct BytesAccess {
  using Frame = Bytes;
  static uint32_t Length(const Bytes* frame) {
    return static_cast<uint32_t>(frame->data.size()) + 1000;  // and further segments
  }
  static uint8_t* Data(Bytes* frame) { return frame->data.data(); }
  static uint32_t DataLength(const Bytes* frame) {
    return static_cast<uint32_t>(frame->data.size());
  }
};

// Decides 40 frames whose first segments have 0 to 39 bytes, all 0x55 but the first, on a queue
// that loses those of `fates`.
void ExpectBlind(uint8_t action, uint64_t fates) {
  SCOPED_TRACE(std::to_string(action) + " " + std::to_string(fates));
  constexpr uint32_t kCount = 40, kPort = 3;
  tp_state state = {};
  state.terms = {TP_LOSS_STREAM, action, 9};
  state.n = 1;  // within a block, whose fates are drawn
  state.fates = fates << 1;
  QueuePlan plan;
  plan.datapath.states = &state;
  plan.datapath.port = kPort;
  std::vector<Bytes> frames(kCount);
  std::vector<Bytes*> pointers, kept, lost, malformed;
  BlindOutcome expected;
  for (uint32_t i = 0; i < kCount; i++) {
    frames[i].data.reserve(1);  // an empty vector may have no memory at all
    frames[i].data.assign(i, 0x55);
    if (i > 0) frames[i].data[0] = 0xaa;
    pointers.push_back(&frames[i]);
    const bool is_lost = fates >> i & 1;
    const bool is_short = !is_lost && action == TP_ACTION_REFLECT && i < 14;
    (is_lost ? lost : is_short ? malformed : kept).push_back(&frames[i]);
    (is_lost    ? expected.lost_bytes
     : is_short ? expected.malformed_bytes
                : expected.kept_bytes) += 1000 + i;
  }
  std::vector<Bytes*> dropped(kCount);
  const BlindOutcome outcome =
      DecideBlind<BytesAccess>(&plan, pointers.data(), kCount, dropped.data());
  EXPECT_EQ(outcome.bytes, 1000 * kCount + kCount * (kCount - 1) / 2);
  EXPECT_EQ(outcome.kept, kept.size());
  EXPECT_EQ(outcome.kept_bytes, expected.kept_bytes);
  EXPECT_EQ(outcome.lost, lost.size());
  EXPECT_EQ(outcome.lost_bytes, expected.lost_bytes);
  EXPECT_EQ(outcome.malformed, malformed.size());
  EXPECT_EQ(outcome.malformed_bytes, expected.malformed_bytes);
  EXPECT_EQ(state.n, 1 + kCount);
  EXPECT_EQ(state.matched_bytes, outcome.bytes);
  EXPECT_EQ(state.lost_packets, lost.size());
  EXPECT_EQ(state.lost_bytes, expected.lost_bytes);
  pointers.resize(kept.size());
  EXPECT_EQ(pointers, kept);
  lost.insert(lost.end(), malformed.begin(), malformed.end());
  dropped.resize(lost.size());
  EXPECT_EQ(dropped, lost);
  for (const Bytes* frame : kept) {
    if (frame->data.size() < 7) continue;
    const bool reflected = action == TP_ACTION_REFLECT;
    EXPECT_EQ(frame->data[0], reflected ? 0x55 : 0xaa);
    EXPECT_EQ(frame->data[6], reflected ? 0xaa : 0x55);
  }
  const tp_effects effects = {0,
                              action == TP_ACTION_DROP ? __u8{TP_DENIED} : __u8{0},
                              static_cast<__u8>(action == TP_ACTION_PORT      ? 9
                                                : action == TP_ACTION_REFLECT ? 3
                                                : action == TP_ACTION_DROP    ? 0
                                                                              : TP_TO_KERNEL),
                              0,
                              0,
                              0,
                              0,
                              0,
                              0};
  EXPECT_EQ(outcome.effects, effects);
}

TEST(DecideBlind, CountsWhatIsKeptLostAndMalformed) {
  for (uint8_t action : {TP_ACTION_PASS, TP_ACTION_DROP, TP_ACTION_REFLECT, TP_ACTION_PORT}) {
    for (uint64_t fates : {uint64_t{0}, uint64_t{1}, uint64_t{0x8000000001}, uint64_t{0x1c000},
                           uint64_t{0x5555555555}, uint64_t{0xffffffffff}, uint64_t{0xff00ff0100}})
      ExpectBlind(action, fates);
  }
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
