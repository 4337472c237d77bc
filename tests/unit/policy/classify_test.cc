// SPDX-License-Identifier: BSD-3-Clause
// Key -> rule, with tables made by hand: which of several matching rules wins. Neither equal tags
// nor full buckets confuse the search.

#include <bit>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

constexpr uint32_t kFallback = 1000;

// The tables of one port, in the form that the search reads.
class Tables {
 public:
  // `buckets` where a search may begin; a power of two, at least 2.
  explicit Tables(uint32_t buckets)
      : shift_(65 - static_cast<uint32_t>(std::bit_width(buckets))),
        buckets_(buckets + TP_MAX_PROBES - 1) {}

  // The search tries shapes in the order in which they are added.
  uint32_t AddShape(tp_key mask, uint32_t min_rule) {
    mask.shape = static_cast<__u16>(shapes_.size());
    shapes_.push_back({mask, min_rule, {}});
    return static_cast<uint32_t>(shapes_.size() - 1);
  }

  // Puts a rule where the search looks for it. False if no bucket has room.
  bool Add(uint32_t shape, tp_key key, uint32_t rule) {
    const tp_key& mask = shapes_[shape].mask;
    const uint64_t sum = tp_key_sum(&key, &mask);
    for (uint32_t probe = 0; probe < TP_MAX_PROBES; probe++) {
      if (Put(First(sum) + probe, tp_key_tag(sum), Masked(key, mask), rule)) return true;
    }
    return false;
  }

  // The bucket where the search for a key with this sum begins.
  uint32_t First(uint64_t sum) const { return tp_first_bucket(sum, shift_); }

  // Puts an entry into the bucket at `at`, whatever its key's sum. There may be buckets beyond
  // those that a search looks into.
  bool Put(uint32_t at, uint32_t tag, const tp_key& entry, uint32_t rule) {
    if (at >= buckets_.size()) buckets_.resize(at + 1);
    tp_bucket& bucket = buckets_[at];
    if (bucket.used == TP_BUCKET_SLOTS) return false;
    bucket.tag[bucket.used] = tag;
    bucket.entry[bucket.used] = static_cast<uint32_t>(entries_.size());
    bucket.rule[bucket.used] = rule;
    bucket.used++;
    entries_.push_back(entry);
    return true;
  }

  uint32_t Classify(tp_key key) { return Classify(key, static_cast<uint32_t>(shapes_.size())); }
  // With the first shapes only. The others are of the next port.
  uint32_t Classify(tp_key key, uint32_t n_shapes) {
    tp_datapath datapath = {};
    datapath.tables.shapes = shapes_.data();
    datapath.tables.buckets = buckets_.data();
    datapath.tables.entries = entries_.data();
    datapath.tables.bucket_shift = shift_;
    return tp_classify(&datapath, &key, n_shapes, kFallback);
  }

  static tp_key Masked(const tp_key& key, const tp_key& mask) {
    tp_key entry;
    const auto* k = reinterpret_cast<const uint8_t*>(&key);
    const auto* m = reinterpret_cast<const uint8_t*>(&mask);
    auto* e = reinterpret_cast<uint8_t*>(&entry);
    for (size_t i = 0; i < sizeof(entry); i++) e[i] = k[i] & m[i];
    entry.shape = mask.shape;
    return entry;
  }

 private:
  std::vector<tp_shape> shapes_;
  uint32_t shift_;
  std::vector<tp_bucket> buckets_;
  std::vector<tp_key> entries_;
};

tp_key Zero() {
  tp_key key;
  std::memset(&key, 0, sizeof(key));
  return key;
}

// A packet of protocol `proto` from 10.0.0.`host`, port `port`.
tp_key Packet(uint8_t proto, uint8_t host, uint16_t port) {
  tp_key key = Zero();
  key.ip_version = 4;
  key.proto = proto;
  key.flags = TP_KEY_IP | TP_KEY_PORTS;
  key.address[0] = 10;
  key.address[3] = host;
  key.src_port = port;
  return key;
}

tp_key ProtoMask() {
  tp_key mask = Zero();
  mask.proto = 0xff;
  return mask;
}

tp_key HostMask() {
  tp_key mask = Zero();
  std::memset(mask.address, 0xff, 4);
  return mask;
}

tp_key PortMask() {
  tp_key mask = Zero();
  mask.src_port = 0xffff;
  return mask;
}

TEST(Classify, NoShapesMeansTheFallback) {
  Tables tables(1);
  EXPECT_EQ(tables.Classify(Packet(17, 1, 1)), kFallback);
}

TEST(Classify, LooksAtTheMaskedBitsOnly) {
  Tables tables(8);
  const uint32_t shape = tables.AddShape(ProtoMask(), 0);
  ASSERT_TRUE(tables.Add(shape, Packet(17, 1, 1), 5));
  EXPECT_EQ(tables.Classify(Packet(17, 2, 9)), 5u);
  EXPECT_EQ(tables.Classify(Packet(6, 1, 1)), kFallback);
}

TEST(Classify, TheEarliestRuleWinsOverShapes) {
  Tables tables(8);
  const uint32_t proto = tables.AddShape(ProtoMask(), 1), host = tables.AddShape(HostMask(), 2),
                 port = tables.AddShape(PortMask(), 3);
  ASSERT_TRUE(tables.Add(proto, Packet(17, 0, 0), 7));
  ASSERT_TRUE(tables.Add(proto, Packet(6, 0, 0), 1));
  ASSERT_TRUE(tables.Add(host, Packet(0, 1, 0), 2));
  ASSERT_TRUE(tables.Add(host, Packet(0, 2, 0), 9));
  ASSERT_TRUE(tables.Add(port, Packet(0, 0, 80), 3));
  EXPECT_EQ(tables.Classify(Packet(6, 1, 80)), 1u) << "of 1, 2 and 3";
  EXPECT_EQ(tables.Classify(Packet(17, 1, 80)), 2u) << "of 7, 2 and 3";
  EXPECT_EQ(tables.Classify(Packet(17, 2, 80)), 3u) << "of 7, 9 and 3";
  EXPECT_EQ(tables.Classify(Packet(17, 2, 81)), 7u) << "of 7 and 9";
  EXPECT_EQ(tables.Classify(Packet(1, 2, 81)), 9u);
  EXPECT_EQ(tables.Classify(Packet(1, 3, 81)), kFallback);
}

TEST(Classify, TriesNoShapeOfTheNextPort) {
  Tables tables(8);
  const tp_key masks[] = {ProtoMask(), HostMask(), PortMask()};
  for (uint32_t i = 0; i < 3; i++)
    ASSERT_TRUE(tables.Add(tables.AddShape(masks[i], 3 - i), Packet(17, 1, 80), 3 - i));
  for (uint32_t n = 0; n <= 3; n++)
    EXPECT_EQ(tables.Classify(Packet(17, 1, 80), n), n == 0 ? kFallback : 4 - n) << n;
}

TEST(Classify, EndsAtAShapeThatCannotHoldAnEarlierRule) {
  Tables tables(8);
  const uint32_t proto = tables.AddShape(ProtoMask(), 4), host = tables.AddShape(HostMask(), 5);
  ASSERT_TRUE(tables.Add(proto, Packet(17, 0, 0), 4));
  // This rule is before 5, contrary to the shape's min_rule. So if a search finds it, the search
  // tried a shape that it should have skipped.
  ASSERT_TRUE(tables.Add(host, Packet(0, 1, 0), 3));
  EXPECT_EQ(tables.Classify(Packet(17, 1, 0)), 4u);
  EXPECT_EQ(tables.Classify(Packet(6, 1, 0)), 3u);
}

TEST(Classify, TheSameKeyInTwoShapesIsTwoRules) {
  tp_key both = ProtoMask();
  both.src_port = 0xffff;
  Tables tables(8);
  const uint32_t proto = tables.AddShape(ProtoMask(), 0), pair = tables.AddShape(both, 0);
  // Both entries have protocol 17 and are 0 otherwise. Only their shapes differ.
  ASSERT_TRUE(tables.Add(proto, Packet(17, 0, 0), 9));
  ASSERT_TRUE(tables.Add(pair, Packet(17, 0, 0), 1));
  EXPECT_EQ(tables.Classify(Packet(17, 0, 5)), 9u);
  EXPECT_EQ(tables.Classify(Packet(17, 0, 0)), 1u);
}

TEST(Classify, AnEqualTagIsNotAnEqualKey) {
  const tp_key wanted = Packet(0, 1, 0), others[] = {Packet(0, 2, 0), Packet(0, 3, 0)};
  tp_key mask = HostMask();
  const uint64_t sum = tp_key_sum(&wanted, &mask);
  Tables tables(4);
  const uint32_t shape = tables.AddShape(mask, 0);
  for (const tp_key& other : others)
    ASSERT_TRUE(tables.Put(tables.First(sum), tp_key_tag(sum), Tables::Masked(other, mask), 1));
  EXPECT_EQ(tables.Classify(wanted), kFallback);
  ASSERT_TRUE(tables.Add(shape, wanted, 2));
  EXPECT_EQ(tables.Classify(wanted), 2u);
}

// The same, with an entry that differs from the key in one byte of any field.
TEST(Classify, AnEntryWithTheTagMustHaveEveryByteOfTheKey) {
  tp_key mask = Zero();
  std::memset(&mask, 0xff, sizeof(mask) - sizeof(mask.shape));
  tp_key wanted = Packet(17, 1, 80);
  wanted.shape = 54;  // of the packet; no match asks for it
  const uint64_t sum = tp_key_sum(&wanted, &mask);
  for (size_t byte = 0; byte < sizeof(wanted); byte++) {
    Tables tables(4);
    tables.AddShape(mask, 0);
    tp_key entry = Tables::Masked(wanted, mask);
    reinterpret_cast<uint8_t*>(&entry)[byte] ^= 0x10;
    ASSERT_TRUE(tables.Put(tables.First(sum), tp_key_tag(sum), entry, 1));
    EXPECT_EQ(tables.Classify(wanted), kFallback) << byte;
  }
}

TEST(Classify, FindsEveryKeyThatSpilledAndNoOther) {
  // Searches begin in two buckets; with the three behind them, they hold 25 keys at most.
  Tables tables(2);
  const uint32_t shape = tables.AddShape(HostMask(), 0);
  uint32_t count = 0;
  while (count < 100 && tables.Add(shape, Packet(0, static_cast<uint8_t>(count), 0), count))
    count++;
  EXPECT_GE(count, 4u * TP_BUCKET_SLOTS) << "a full bucket spills into the next three";
  EXPECT_LE(count, 5u * TP_BUCKET_SLOTS);
  for (uint32_t host = 0; host < 256; host++) {
    EXPECT_EQ(tables.Classify(Packet(17, static_cast<uint8_t>(host), 7)),
              host < count ? host : kFallback);
  }
}

TEST(Classify, StopsBehindABucketWithRoom) {
  const tp_key wanted = Packet(0, 1, 0);
  tp_key mask = HostMask();
  const uint64_t sum = tp_key_sum(&wanted, &mask);
  Tables tables(16);
  tables.AddShape(mask, 0);
  ASSERT_TRUE(tables.Put(tables.First(sum) + 1, tp_key_tag(sum), Tables::Masked(wanted, mask), 1));
  EXPECT_EQ(tables.Classify(wanted), kFallback) << "nothing spilled out of an empty bucket";
  for (int i = 0; i < TP_BUCKET_SLOTS; i++)
    ASSERT_TRUE(tables.Put(tables.First(sum), 2, Zero(), 9));  // even: no key's tag
  EXPECT_EQ(tables.Classify(wanted), 1u);
}

TEST(Classify, LooksIntoFourBucketsAtMost) {
  const tp_key wanted = Packet(0, 1, 0);
  tp_key mask = HostMask();
  const uint64_t sum = tp_key_sum(&wanted, &mask);
  for (uint32_t distance = 0; distance < 6; distance++) {
    Tables tables(16);
    tables.AddShape(mask, 0);
    for (uint32_t probe = 0; probe < distance; probe++) {
      for (int i = 0; i < TP_BUCKET_SLOTS; i++) tables.Put(tables.First(sum) + probe, 2, Zero(), 9);
    }
    ASSERT_TRUE(
        tables.Put(tables.First(sum) + distance, tp_key_tag(sum), Tables::Masked(wanted, mask), 1));
    EXPECT_EQ(tables.Classify(wanted), distance < TP_MAX_PROBES ? 1 : kFallback) << distance;
  }
}

TEST(Classify, EveryBitOfAKeyCounts) {
  tp_key mask = Zero();
  std::memset(&mask, 0xff, sizeof(mask) - sizeof(mask.shape));
  Tables tables(2);
  const uint32_t shape = tables.AddShape(mask, 0);
  const tp_key key = Packet(17, 1, 80);
  ASSERT_TRUE(tables.Add(shape, key, 3));
  ASSERT_EQ(tables.Classify(key), 3u);
  for (size_t bit = 0; bit < 8 * (sizeof(key) - sizeof(key.shape)); bit++) {
    tp_key other = key;
    reinterpret_cast<uint8_t*>(&other)[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    EXPECT_EQ(tables.Classify(other), kFallback) << "bit " << bit;
  }
}

// The hash spreads keys that differ in a few low bits as randomly as any others. In a table that is
// a quarter full, four buckets in a row overflow with a probability of about 1e-4.
TEST(Classify, TenThousandFiveTuplesFitATableAQuarterFull) {
  tp_key mask = HostMask();
  mask.proto = 0xff;
  mask.src_port = mask.dst_port = 0xffff;
  std::memset(mask.address, 0xff, 8);
  Tables tables(8192);
  const uint32_t shape = tables.AddShape(mask, 0);
  for (uint32_t i = 0; i < 10000; i++) {
    tp_key key = Packet(17, static_cast<uint8_t>(i), static_cast<uint16_t>(i >> 8));
    ASSERT_TRUE(tables.Add(shape, key, i)) << i;
  }
  for (uint32_t i = 0; i < 10000; i++) {
    EXPECT_EQ(tables.Classify(Packet(17, static_cast<uint8_t>(i), static_cast<uint16_t>(i >> 8))),
              i < kFallback ? i : kFallback);
  }
}

}  // namespace
}  // namespace twinpath
