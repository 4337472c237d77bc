// SPDX-License-Identifier: BSD-3-Clause
// Pins the random function: golden vectors (computed by an independent implementation), and forms
// of the loss model that must agree with each other. A change here changes every packet's fate, and
// needs a new version of the policy format.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/stream.h"

namespace twinpath {
namespace {

struct KeyPair {
  __u64 a, b;
  bool operator==(const KeyPair&) const = default;
};

__u64 NameHash(const std::string& name) { return tp_name_hash(name.data(), name.size()); }

KeyPair RuleKey(__u64 seed, __u64 name_hash) {
  KeyPair key;
  tp_rule_key(seed, name_hash, &key.a, &key.b);
  return key;
}

KeyPair StreamKey(__u32 queue) {
  const KeyPair rule_key = RuleKey(7, NameHash("default"));
  tp_rule rule = {};
  rule.key_a = rule_key.a;
  rule.key_b = rule_key.b;
  KeyPair key;
  tp_stream_key(&rule, NameHash("lan"), queue, &key.a, &key.b);
  return key;
}

TEST(Random, WordsAreGolden) {
  EXPECT_EQ(tp_mix(0), 0u);
  EXPECT_EQ(tp_mix(1), 0x5692161d100b05e5u);
  EXPECT_EQ(tp_word(0, 0, 0), 0u);
  EXPECT_EQ(tp_word(0, 0, 1), 0xe220a8397b1dcdafu) << "SplitMix64's first output from seed 0";
  EXPECT_EQ(tp_word(1, 2, 3), 0x22343665741f589cu);
  EXPECT_EQ(tp_word(0x0123456789abcdefu, 0xfedcba9876543210u, ~0ULL), 0x004ca6e245c7f986u);
}

TEST(Random, NamesAreGolden) {
  EXPECT_EQ(NameHash(""), 0xf52a15e9a9b5e89bu);
  EXPECT_EQ(NameHash("default"), 0xf109ada1b3dd278eu);
  EXPECT_EQ(NameHash("voip"), 0xc41babe1a59946aau);
}

TEST(Random, KeysAreGolden) {
  EXPECT_EQ(RuleKey(0, 0), (KeyPair{0x48218226ff3cd4bfu, 0x102437fb393a4a58u}));
  EXPECT_EQ(RuleKey(7, NameHash("default")), (KeyPair{0x8757440435150733u, 0xdf24027373584978u}));
  EXPECT_EQ(StreamKey(0), (KeyPair{0xa421eb4bb2833efau, 0xadc5fd6c6bb2f21eu}));
  EXPECT_EQ(StreamKey(1), (KeyPair{0x479945de2474eb96u, 0x80b4db80933ee703u}));
  EXPECT_EQ(StreamKey(63), (KeyPair{0x745a124e28fcb36bu, 0x6ba5f4d4757f64deu}));
}

TEST(Random, FatesAreGolden) {
  const auto [a, b] = StreamKey(0);
  constexpr __u64 kHalf = 1ULL << 63, kHundredth = 0x028f5c28f5c28f5cu,
                  kNineTenths = 0xe666666666666666u;
  EXPECT_EQ(tp_loss_mask(a, b, 0, kHalf, ~0ULL), 0x557402f9892d3575u);
  EXPECT_EQ(tp_loss_mask(a, b, 1000000007, kHalf, ~0ULL), 0x3367ae9d8f73f004u);
  EXPECT_EQ(tp_loss_mask(a, b, 0, kHundredth, ~0ULL), 0u);
  EXPECT_EQ(tp_loss_mask(a, b, 1000000007, kHundredth, ~0ULL), 0x20000u);
  EXPECT_EQ(tp_loss_mask(a, b, 0, kNineTenths, ~0ULL), 0xfff7ffffeffffdf7u);
  EXPECT_EQ(tp_loss_mask(a, b, 1000000007, kNineTenths, ~0ULL), 0xffffafffdff7faffu);
}

TEST(Random, DrawsAreGolden) {
  const auto [a, b] = StreamKey(0);
  EXPECT_EQ(tp_draw(a, b, 0), 0x08f0959ec3996b72u);
  EXPECT_EQ(tp_draw(a, b, 1), 0x9f63ba872615f3b9u);
  EXPECT_EQ(tp_draw(a, b, 63), 0x922614065a38a721u);
  EXPECT_EQ(tp_draw(a, b, 64), 0x735fcbeac1166b8du);
  EXPECT_EQ(tp_draw(a, b, 123456789012345), 0x1bb6c467e04433du);
}

// By another implementation of SplitMix64's finalizer.
TEST(Random, KeysOfDrawsAreGolden) {
  EXPECT_EQ(tp_draw_key(0, TP_DRAW_LOSS), 0xad53d5472392edecu);
  EXPECT_EQ(tp_draw_key(0, TP_DRAW_START), 0xbdbdf2ec8090b8f0u);
  EXPECT_EQ(tp_draw_key(0x0123456789abcdef, TP_DRAW_LOSS), 0xaa2d7807e2f9452fu);
  EXPECT_EQ(tp_draw_key(0x0123456789abcdef, TP_DRAW_START), 0x99f94ae3ab4a3521u);
}

std::vector<__u64> Thresholds(__u64 a, __u64 b, __u64 block) {
  std::vector<__u64> thresholds = {0,
                                   1,
                                   2,
                                   1ULL << 60,
                                   0x028f5c28f5c28f5cu,
                                   (1ULL << 63) - 1,
                                   1ULL << 63,
                                   (1ULL << 63) + 1,
                                   ~0ULL - 1,
                                   ~0ULL};
  for (int bit = 0; bit < 64; bit++) thresholds.push_back(1ULL << bit);
  for (__u64 i = 0; i < 100; i++) thresholds.push_back(tp_word(1, 2, i));
  // The edge: a packet whose draw equals the threshold is received, and one with a lower draw is
  // lost.
  for (__u64 i = 0; i < 64; i += 9) {
    thresholds.push_back(tp_draw(a, b, 64 * block + i));
    thresholds.push_back(tp_draw(a, b, 64 * block + i) + 1);
  }
  return thresholds;
}

TEST(Random, MaskIsTheComparisonOfEachDraw) {
  for (__u32 queue : {0u, 5u}) {
    const auto [a, b] = StreamKey(queue);
    for (__u64 block : {0ULL, 1ULL, 77ULL, 1ULL << 40, ~0ULL >> 6}) {
      for (__u64 threshold : Thresholds(a, b, block)) {
        __u64 expected = 0;
        for (__u64 i = 0; i < 64; i++)
          expected |= static_cast<__u64>(tp_draw(a, b, 64 * block + i) < threshold) << i;
        ASSERT_EQ(tp_loss_mask(a, b, block, threshold, ~0ULL), expected)
            << "block " << block << " threshold " << threshold;
        const __u64 lanes = tp_word(3, 4, block ^ threshold);
        ASSERT_EQ(tp_loss_mask(a, b, block, threshold, lanes), expected & lanes);
      }
    }
  }
}

TEST(Lose, RunsAndSharedTakeTheSameFatesAsOneByOne) {
  for (tp_loss_kind kind : {TP_LOSS_NONE, TP_LOSS_ALL, TP_LOSS_STREAM}) {
    for (double p : {0.0, 0.01, 0.3, 0.5, 0.99}) {
      for (uint32_t fixed = 0; fixed <= 64; fixed++) {
        Stream one({}, Threshold(p), kind), shared({}, Threshold(p), kind),
            run({}, Threshold(p), kind);
        for (uint64_t taken = 0, turn = 0; taken < 2000; turn++) {
          // Splits of one length; for 0, of any length.
          const uint32_t count =
              fixed ? fixed : static_cast<uint32_t>(tp_word(8, 9, turn) % 64) + 1;
          const uint64_t fates = run.LoseRun(count);
          for (uint32_t i = 0; i < count; i++) {
            const int lost = one.Lose();
            ASSERT_EQ(lost, static_cast<int>(fates >> i & 1))
                << "kind " << kind << " p " << p << " split " << count << " packet " << taken + i;
            ASSERT_EQ(lost, shared.LoseShared());
          }
          if (count < 64) {
            ASSERT_EQ(fates >> count, 0u);
          }
          taken += count;
          for (const Stream* stream : {&one, &shared, &run}) ASSERT_EQ(stream->state().n, taken);
        }
      }
    }
  }
}

TEST(Lose, OneByOneAfterRunsGoesOn) {
  Stream mixed({}, Threshold(0.3)), one({}, Threshold(0.3));
  for (uint32_t turn = 0; turn < 500; turn++) {
    const uint32_t count = turn % 64 + 1;
    const uint64_t fates = mixed.LoseRun(count);
    for (uint32_t i = 0; i < count; i++) ASSERT_EQ(one.Lose(), static_cast<int>(fates >> i & 1));
    for (uint32_t i = 0; i < turn % 7; i++) ASSERT_EQ(one.Lose(), mixed.Lose());
  }
}

// A run may begin at any packet of a block and end at any other.
TEST(Lose, RunsOfEveryLengthFromEveryPacket) {
  Stream all({}, Threshold(0.4));
  const uint64_t first = all.LoseRun(64), second = all.LoseRun(64), third = all.LoseRun(64);
  for (uint32_t lane = 0; lane < 64; lane++) {
    for (uint32_t count = 1; count <= 64; count++) {
      Stream stream({}, Threshold(0.4));
      if (lane != 0) stream.LoseRun(lane);
      const uint64_t expected = lane == 0 ? first : first >> lane | second << (64 - lane);
      ASSERT_EQ(stream.LoseRun(count), expected & ~0ULL >> (64 - count)) << lane << " " << count;
      const uint32_t at = lane + count;  // 64 more
      const uint64_t next = at < 64    ? first >> at | second << (64 - at)
                            : at == 64 ? second
                            : at < 128 ? second >> (at - 64) | third << (128 - at)
                                       : third;
      ASSERT_EQ(stream.LoseRun(64), next) << lane << " " << count;
    }
  }
}

TEST(Lose, CountsWhatItTakes) {
  Stream one({}, Threshold(0.25)), shared({}, Threshold(0.25));
  uint64_t lost_packets = 0, lost_bytes = 0, bytes = 0;
  for (uint32_t i = 0; i < 1000; i++) {
    const int lost = one.Lose(60 + i);
    shared.LoseShared(60 + i);
    bytes += 60 + i;
    lost_packets += static_cast<uint64_t>(lost);
    lost_bytes += lost ? 60 + i : 0;
  }
  for (const Stream* stream : {&one, &shared}) {
    EXPECT_EQ(stream->state().n, 1000u);
    EXPECT_EQ(stream->state().matched_bytes, bytes);
    EXPECT_EQ(stream->state().lost_packets, lost_packets);
    EXPECT_EQ(stream->state().lost_bytes, lost_bytes);
  }
  EXPECT_GT(lost_packets, 200u);
}

}  // namespace
}  // namespace twinpath
