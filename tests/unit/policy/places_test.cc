// SPDX-License-Identifier: BSD-3-Clause
// Where keys and flows have their places, by values that do not come from the code: the multipliers
// of the key's hash are those of SplitMix64, and the places of rows are fractions of the table.

#include <cstdint>
#include <cstring>

#include "gtest/gtest.h"
#include "src/policy/classify.h"
#include "src/policy/table.h"

namespace twinpath {
namespace {

tp_key Zero() {
  tp_key key;
  std::memset(&key, 0, sizeof(key));
  return key;
}

tp_u64_alias* Words(tp_key* key) { return reinterpret_cast<tp_u64_alias*>(key); }

// The first outputs of SplitMix64 from seed 0, as published with java.util.SplittableRandom's
// reference implementation, with the lowest bit set.
constexpr uint64_t kMultipliers[] = {
    0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4 | 1, 0x06c45d188009454f,     0xf88bb8a8724c81ec | 1,
    0x1b39896a51a8749b, 0x53cb9f0c747ea2ea | 1, 0x2c829abe1f4532e0 | 1, 0xc584133ac916ab3c | 1};

TEST(KeySum, IsTheSumOfTheMaskedWordsTimesTheirMultipliers) {
  for (int word = 0; word < TP_KEY_WORDS; word++) {
    // The upper two bytes of word 7 are not the key's: they are ones under the mask.
    const uint64_t above = word == 7 ? uint64_t{0xffff} << 48 : 0;
    for (int bit = 0; bit < 64; bit++) {
      tp_key key = Zero(), mask = Zero();
      Words(&key)[word] = ~uint64_t{0};
      Words(&mask)[word] = uint64_t{1} << bit;
      EXPECT_EQ(tp_key_sum(&key, &mask), kMultipliers[word] << bit) << word << " " << bit;
      Words(&key)[word] = uint64_t{1} << bit;
      Words(&mask)[word] = 0;
      EXPECT_EQ(tp_key_sum(&key, &mask), 0u) << word << " " << bit;
      Words(&mask)[word] = ~above;
      EXPECT_EQ(tp_key_sum(&key, &mask), above >> bit & 1 ? 0 : kMultipliers[word] << bit);
    }
  }
  // Word 7 of a mask has the shape's number, which is taken whatever the packet's key has there.
  tp_key key = Zero(), mask = Zero();
  mask.shape = 0x8421;
  for (uint16_t shape : {0, 14, 0xffff}) {
    key.shape = shape;
    EXPECT_EQ(tp_key_sum(&key, &mask), (uint64_t{0x8421} << 48) * kMultipliers[7]);
  }
  // All words at once, with a mask of all ones: 1 * m0 + 2 * m1 + ... + 7 * m6, and word 7.
  uint64_t expected = (uint64_t{0xffff} << 48 | 8) * kMultipliers[7];
  std::memset(&mask, 0xff, sizeof(mask));
  for (int word = 0; word < TP_KEY_WORDS; word++) {
    Words(&key)[word] = static_cast<uint64_t>(word) + 1;
    if (word < 7) expected += (static_cast<uint64_t>(word) + 1) * kMultipliers[word];
  }
  EXPECT_EQ(tp_key_sum(&key, &mask), expected);
}

TEST(KeySum, ABucketIsItsHighestBitsAndATagThoseInTheMiddle) {
  EXPECT_EQ(tp_first_bucket(0xfedcba9876543210, 63), 1u);
  EXPECT_EQ(tp_first_bucket(0xfedcba9876543210, 56), 0xfeu);
  EXPECT_EQ(tp_first_bucket(0xfedcba9876543210, 40), 0xfedcbau);
  EXPECT_EQ(tp_key_tag(0xfedcba9876543210), 0xba987655u) << "never even";
  EXPECT_EQ(tp_key_tag(0xfedcba987655ffff), 0xba987655u);
  EXPECT_EQ(tp_key_tag(0), 1u);
  EXPECT_EQ(tp_key_tag(0x10000), 1u);
  EXPECT_EQ(tp_key_tag(0x20000), 3u);
}

struct Place {
  uint64_t hash;
  uint32_t regions, region_buckets;
  uint32_t region, first, second, home;
};

// Of the hash's bits from below: 1 and 2 are the home, 0 to 15 the first bucket, 16 to 31 the
// second, 32 to 63 the region, each as a fraction of how many there are. Where both buckets are the
// same, the second is the next one of the region.
constexpr Place kPlaces[] = {
    {0x0000000000000000, 3, 5, 0, 0, 1, 0},  // as 1, because 0 is a free place
    {0x0000000000000001, 3, 5, 0, 0, 1, 0},
    {0xffffffffffffffff, 3, 5, 2, 14, 10, 6},  // behind the last bucket comes the first
    {0x5555555500000000, 3, 5, 0, 0, 1, 0},
    {0x5555555633343333, 3, 5, 1, 5, 6, 2},  // a third of the regions, a fifth of the buckets
    {0xaaaaaaab66676666, 3, 5, 2, 11, 12, 6},
    {0xaaaaaaaa9999999a, 3, 5, 1, 8, 7, 2},
    {0x80000000ffffccce, 3, 5, 1, 9, 5, 6},
    {0x00000000aaabaaab, 1, 3, 0, 2, 0, 2},
    {0x00000000aaab0000, 1, 3, 0, 0, 2, 0},
    {0x0123456789abcdef, 64, 64, 0, 51, 34, 6},
    {0xfedcba9876543210, 64, 64, 63, 4044, 4061, 0},
    {0x0000000080007fff, 1, 2, 0, 0, 1, 6},
    {0x000000007fff7ffe, 1, 2, 0, 0, 1, 6},
    {0xffffffff80008004, 1, 2, 0, 1, 0, 4},
    {0x7ffffffffffe0008, 1000000, 63, 499999, 31499937, 31499999, 0},
    {0x800000000001fffa, 1000000, 63, 500000, 31500062, 31500000, 2},
    {0x3fffffffc0003fff, 8, 64, 1, 79, 112, 6},
    {0x400000003fffc001, 8, 64, 2, 176, 143, 0},
};

TEST(Place, IsAFractionOfTheTable) {
  for (const Place& p : kPlaces) {
    const tp_place place = tp_place_of({p.regions, p.region_buckets}, p.hash);
    EXPECT_EQ(place.key, p.hash == 0 ? 1 : p.hash);
    EXPECT_EQ(place.region, p.region) << std::hex << p.hash;
    EXPECT_EQ(place.first, p.first) << std::hex << p.hash;
    EXPECT_EQ(place.second, p.second) << std::hex << p.hash;
    EXPECT_EQ(place.home, p.home) << std::hex << p.hash;
  }
}

// The search begins at the home and goes around the bucket.
TEST(Place, EveryWayOfABucketIsTriedFromTheHome) {
  for (uint32_t home : {0U, 2U, 4U, 6U}) {
    const tp_place place = {1, 0, 0, 1, home};
    for (uint64_t i = 0; i < 16; i++) EXPECT_EQ(tp_row_way(&place, i), (home + i) % 8) << home;
  }
}

constexpr uint64_t kRowSize = 24;
struct Row {
  uint64_t key;
  uint32_t used_at, other;
  uint64_t more;
};
static_assert(sizeof(Row) == kRowSize);
struct Bucket {
  Row row[TP_TABLE_WAYS];
};

// `used` places of a bucket hold keys from `key` on, used at times from `at` on, from way 0.
Bucket Filled(int used, uint64_t key, uint32_t at) {
  Bucket bucket = {};
  for (int way = 0; way < used; way++) {
    const auto w = static_cast<uint32_t>(way);
    bucket.row[way] = {key + w, at + w, 77, 88};
  }
  return bucket;
}

// Where a new row with the key 999 is put, as bucket * 8 + way, if `in_first` and `in_second`
// places are taken. The buckets are 20 and 30, the home is way 2.
uint64_t PutAt(int in_first, int in_second, bool* evicted) {
  Bucket first = Filled(in_first, 100, 50), second = Filled(in_second, 200, 40);
  const tp_place place = {999, 0, 20, 30, 2};
  const uint64_t at = tp_row_seek(&first, &second, &place, 100, kRowSize);
  EXPECT_TRUE(at & TP_ROW_ADDED);
  *evicted = (at & TP_ROW_EVICTED) != 0;
  const uint64_t number = at & 0xffffffff;
  const Row& row = (number / 8 == 20 ? first : second).row[number % 8];
  EXPECT_EQ(row.key, 999u);
  EXPECT_EQ(row.used_at, 0u);
  EXPECT_EQ(row.other, 0u);
  EXPECT_EQ(row.more, 0u);
  int others = 0;
  for (const Bucket* bucket : {&first, &second}) {
    for (const Row& other : bucket->row)
      others += other.key != 0 && other.other == 77 && other.more == 88;
  }
  EXPECT_EQ(others, in_first + in_second - *evicted);
  return number;
}

TEST(Rows, ANewRowGoesIntoTheFirstBucketUntilItIsHalfFullThenIntoTheEmptier) {
  bool evicted;
  // The first free way from the home on.
  const int first_free[] = {2, 2, 2, 3, 4, 5, 6, 7};
  for (int in_first = 0; in_first < 8; in_first++) {
    for (int in_second = 0; in_second < 8; in_second++) {
      const bool to_second = in_first >= 4 && in_second < in_first;
      EXPECT_EQ(PutAt(in_first, in_second, &evicted),
                static_cast<uint64_t>(to_second ? 240 + first_free[in_second]
                                                : 160 + first_free[in_first]))
          << in_first << " " << in_second;
      EXPECT_FALSE(evicted);
    }
  }
  EXPECT_EQ(PutAt(8, 7, &evicted), 240u + 7);
  EXPECT_FALSE(evicted);
  EXPECT_EQ(PutAt(7, 8, &evicted), 160u + 7);
  EXPECT_FALSE(evicted);
  EXPECT_EQ(PutAt(8, 8, &evicted), 240u) << "used at 40: idle for longest";
  EXPECT_TRUE(evicted);
}

// Each of the sixteen rows in turn is the one that was idle for longest, also across a wrap of the
// count of uses.
TEST(Rows, TheLongestIdleOfBothBucketsIsEvicted) {
  for (uint32_t now : {1000U, 5U}) {
    for (uint32_t oldest = 0; oldest < 16; oldest++) {
      Bucket first = Filled(8, 100, 0), second = Filled(8, 200, 0);
      for (uint32_t i = 0; i < 16; i++)
        (i < 8 ? first : second).row[i % 8].used_at = now - (i == oldest ? 300 : 10 + i);
      const tp_place place = {999, 0, 20, 30, 4};
      const uint64_t at = tp_row_seek(&first, &second, &place, now, kRowSize);
      EXPECT_EQ(at, TP_ROW_ADDED + TP_ROW_EVICTED + (oldest < 8 ? 160 + oldest : 240 + oldest - 8));
    }
  }
  // One use more than all others decides.
  for (int oldest = 0; oldest < 16; oldest++) {
    Bucket first = Filled(8, 100, 0), second = Filled(8, 200, 0);
    for (int i = 0; i < 16; i++) (i < 8 ? first : second).row[i % 8].used_at = i == oldest ? 8 : 9;
    const tp_place place = {999, 0, 20, 30, 4};
    EXPECT_EQ(tp_row_seek(&first, &second, &place, 9, kRowSize) & 0xffffffff,
              static_cast<uint64_t>(oldest < 8 ? 160 + oldest : 240 + oldest - 8));
  }
  // Of several that were idle for equally long, the one that the search meets first goes.
  Bucket first = Filled(8, 100, 0), second = Filled(8, 200, 0);
  for (Bucket* bucket : {&first, &second}) {
    for (Row& row : bucket->row) row.used_at = 7;
  }
  const tp_place place = {999, 0, 20, 30, 4};
  EXPECT_EQ(tp_row_seek(&first, &second, &place, 7, kRowSize) & 0xffffffff, 164u);
  EXPECT_EQ(first.row[4].key, 999u);
}

TEST(Rows, ARowThatIsThereIsFoundAndLeft) {
  for (int way = 0; way < 16; way++) {
    Bucket first = Filled(8, 100, 50), second = Filled(8, 200, 40);
    const uint64_t key =
        way < 8 ? 100 + static_cast<uint64_t>(way) : 192 + static_cast<uint64_t>(way);
    const Bucket before[] = {first, second};
    const tp_place place = {key, 0, 20, 30, 6};
    EXPECT_EQ(tp_row_seek(&first, &second, &place, 100, kRowSize),
              static_cast<uint64_t>(way < 8 ? 160 + way : 240 + way - 8));
    EXPECT_EQ(std::memcmp(&first, &before[0], sizeof(first)), 0);
    EXPECT_EQ(std::memcmp(&second, &before[1], sizeof(second)), 0);
  }
}

}  // namespace
}  // namespace twinpath
