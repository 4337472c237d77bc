// SPDX-License-Identifier: BSD-3-Clause
// Different packets and different flows have different hashes, even if they are similar: a few
// flipped bits in any words, counters, floats and text at any place, once or repeated. No two
// streams have a common key.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

// What is hashed, and which of its bits decide.
class Hashed {
 public:
  virtual ~Hashed() = default;
  virtual uint64_t Hash() const = 0;
  void Flip(size_t bit) { *bytes_[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8); }
  size_t bits() const { return bytes_.size() * 8; }

 protected:
  std::vector<uint8_t*> bytes_;
};

// A packet of a protocol without a checksum: addresses, identification, and 63 bytes behind them,
// which are seven words and a part of one.
class HashedPacket : public Hashed {
 public:
  HashedPacket() : frame_(FrameBuilder().Ipv4().Payload(63).Build()) {
    for (size_t i : {18, 19}) bytes_.push_back(&frame_[i]);
    for (size_t i = 26; i < frame_.size(); i++) bytes_.push_back(&frame_[i]);
  }
  static constexpr size_t kPayload = 14 + 20;
  Bytes& frame() { return frame_; }
  uint64_t Hash() const override {
    tp_key key;
    tp_datapath datapath = {};
    datapath.data = const_cast<uint8_t*>(frame_.data());
    datapath.end = frame_.data() + frame_.size();
    EXPECT_EQ(tp_parse(datapath.data, datapath.end, static_cast<uint32_t>(frame_.size()), 0, &key),
              TP_PARSED);
    return tp_packet_hash(&datapath, &key, 1, 2);
  }

 private:
  Bytes frame_;
};

class HashedFlow : public Hashed {
 public:
  HashedFlow(int version, int both_ways) : both_ways_(both_ways) {
    std::memset(&key_, 0, sizeof(key_));
    key_.ip_version = static_cast<uint8_t>(version);
    key_.flags = version ? TP_KEY_IP | TP_KEY_PORTS : 0;
    if (version == 0) {
      Take(key_.src_mac, 6);
      Take(key_.dst_mac, 6);
      Take(&key_.ether_type, 2);
      return;
    }
    Take(key_.address, version == 4 ? 8 : 32);
    Take(&key_.src_port, 4);
    Take(&key_.proto, 1);
  }
  uint64_t Hash() const override { return tp_flow_of(&key_, both_ways_, 1, 2); }

 private:
  void Take(void* field, size_t size) {
    for (size_t i = 0; i < size; i++) {
      bytes_.push_back(static_cast<uint8_t*>(field) + i);
      *bytes_.back() = static_cast<uint8_t>(tp_word(3, 4, bytes_.size()));
    }
  }
  const int both_ways_;
  tp_key key_;
};

size_t Shared(std::vector<uint64_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  return static_cast<size_t>(hashes.end() - std::unique(hashes.begin(), hashes.end()));
}

// The hashes with one, two and three flipped bits: of all bits, and three of those in `places`.
std::vector<uint64_t> HashesNear(Hashed* hashed, const std::vector<size_t>& places) {
  std::vector<uint64_t> hashes = {hashed->Hash()};
  const auto with = [&](std::initializer_list<size_t> bits) {
    for (size_t bit : bits) hashed->Flip(bit);
    hashes.push_back(hashed->Hash());
    for (size_t bit : bits) hashed->Flip(bit);
  };
  for (size_t i = 0; i < hashed->bits(); i++) {
    with({i});
    for (size_t j = 0; j < i; j++) with({i, j});
  }
  for (size_t i : places) {
    for (size_t j : places) {
      for (size_t k : places)
        if (i > j && j > k) with({i, j, k});
    }
  }
  return hashes;
}

// Bits at the ends and in the middle of each eight bytes and of each four.
std::vector<size_t> Places(size_t bits) {
  std::vector<size_t> places;
  for (size_t bit = 0; bit < bits; bit++) {
    for (size_t at : {0, 7, 8, 23, 31, 32, 55, 63})
      if (bit % 64 == at) places.push_back(bit);
  }
  return places;
}

// Half of all bits change, and each of the 64 in half of all cases.
void ExpectAvalanche(const std::vector<uint64_t>& hashes) {
  std::array<double, 64> flips = {};
  double all = 0;
  for (uint64_t hash : hashes) {
    for (size_t bit = 0; bit < 64; bit++) flips[bit] += (hash ^ hashes[0]) >> bit & 1;
    all += std::popcount(hash ^ hashes[0]);
  }
  const double n = static_cast<double>(hashes.size() - 1);
  EXPECT_NEAR(all / n, 32, 0.1);
  for (double of_bit : flips) EXPECT_LT(std::abs(of_bit - n / 2), 4.5 * std::sqrt(n) / 2);
}

TEST(PacketHash, NoTwoPacketsAFewBitsApartShareIt) {
  HashedPacket packet;
  const std::vector<uint64_t> hashes = HashesNear(&packet, Places(packet.bits()));
  EXPECT_GT(hashes.size(), 200000u);
  EXPECT_EQ(Shared(hashes), 0u);
  ExpectAvalanche(hashes);
}

// The hashes of payloads, each of which holds `pieces[i]` so many times in a row.
std::vector<uint64_t> HashesOf(const std::vector<Bytes>& pieces, size_t offset, size_t times) {
  HashedPacket packet;
  std::vector<uint64_t> hashes;
  for (const Bytes& piece : pieces) {
    size_t at = HashedPacket::kPayload + offset;
    for (size_t i = 0; i < times; i++, at += piece.size())
      std::copy(piece.begin(), piece.end(), packet.frame().begin() + static_cast<long>(at));
    hashes.push_back(packet.Hash());
  }
  return hashes;
}

void ExpectNoneShared(const std::vector<Bytes>& pieces, const std::string& what) {
  const size_t size = pieces[0].size();
  for (size_t times : {1, 2, 3, 4, 7}) {
    for (size_t offset = 0; offset + times * size <= 63; offset++)
      ASSERT_EQ(Shared(HashesOf(pieces, offset, times)), 0u)
          << what << ", " << times << " times from " << offset;
  }
}

template <typename Number>
Bytes BytesOf(Number number, bool big_endian = false) {
  Bytes bytes(sizeof(number));
  std::memcpy(bytes.data(), &number, sizeof(number));
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

TEST(PacketHash, NoTwoPacketsWithCountersFloatsOrTextShareIt) {
  constexpr uint32_t kNumbers = 1024;
  for (bool big_endian : {false, true}) {
    const auto pieces = [&](auto number_of) {
      std::vector<Bytes> made;
      for (uint32_t n = 0; n < kNumbers; n++) made.push_back(BytesOf(number_of(n), big_endian));
      return made;
    };
    const std::string order = big_endian ? ", big-endian" : ", little-endian";
    ExpectNoneShared(pieces([](uint32_t n) { return static_cast<uint16_t>(n); }), "16" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return n; }), "32" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return n << 22; }), "32 from above" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return uint64_t{n}; }), "64" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return static_cast<float>(n); }), "float" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return 0.1 * n; }), "double" + order);
    ExpectNoneShared(pieces([](uint32_t n) { return std::ldexp(1.0, static_cast<int>(n) - 512); }),
                     "power of two" + order);
  }
  std::vector<Bytes> text;
  for (uint32_t n = 0; n < kNumbers; n++) {
    const std::string number = absl::StrCat("no ", n + 1000);
    text.emplace_back(number.begin(), number.end());
  }
  ExpectNoneShared(text, "text");
}

// A counter of 32 bits that is repeated three times, as in payloads of sockperf or iperf.
TEST(PacketHash, ACounterAndTheOneThatIs128OnHaveFatesOfTheirOwn) {
  std::vector<Bytes> counters;
  for (uint32_t n = 0; n < 4096; n++) counters.push_back(BytesOf(n, true));
  const std::vector<uint64_t> hashes = HashesOf(counters, 4, 3);
  double same = 0;
  for (size_t n = 0; n < hashes.size(); n++) same += (hashes[n] ^ hashes[n ^ 128]) >> 63 == 0;
  EXPECT_LT(std::abs(same - 2048), 4 * std::sqrt(2048.0)) << "each pair is counted twice";
}

// All triples of bits for IPv4 and non-IP frames; for IPv6, triples of the places above.
TEST(FlowOf, NoTwoFlowsAFewBitsApartShareIt) {
  for (int version : {0, 4, 6}) {
    for (int both_ways : {0, 1}) {
      HashedFlow flow(version, both_ways);
      std::vector<size_t> places = Places(flow.bits());
      if (version != 6) {
        places.clear();
        for (size_t bit = 0; bit < flow.bits(); bit++) places.push_back(bit);
      }
      const std::vector<uint64_t> hashes = HashesNear(&flow, places);
      EXPECT_GT(hashes.size(), 50000u);
      EXPECT_EQ(Shared(hashes), 0u) << "version " << version << ", both ways " << both_ways;
      ExpectAvalanche(hashes);
    }
  }
}

// Whichever word tells the ends apart.
TEST(FlowOf, BothWaysIsOneFlowHoweverTheEndsDiffer) {
  for (uint64_t i = 0; i < 4000; i++) {
    tp_key there;
    std::memset(&there, 0, sizeof(there));
    const bool v6 = i & 1;
    there.ip_version = v6 ? 6 : 4;
    there.flags = TP_KEY_IP | TP_KEY_PORTS;
    const size_t size = v6 ? 16 : 4;
    const uint64_t differs =
        tp_word(5, 6, i) % (size + 2);  // a byte of the address, or of the port
    uint8_t* ends[2] = {there.address, there.address + size};
    uint8_t* ports[2] = {reinterpret_cast<uint8_t*>(&there.src_port),
                         reinterpret_cast<uint8_t*>(&there.dst_port)};
    uint8_t* byte = differs < size ? ends[1] + differs : ports[1] + (differs - size);
    *byte = static_cast<uint8_t>(1 << i / 2 % 8);
    tp_key back = there;
    std::memcpy(back.address, ends[1], size);
    std::memcpy(back.address + size, ends[0], size);
    std::swap(back.src_port, back.dst_port);
    ASSERT_EQ(tp_flow_of(&there, 1, 1, 2), tp_flow_of(&back, 1, 1, 2)) << i;
    ASSERT_NE(tp_flow_of(&there, 0, 1, 2), tp_flow_of(&back, 0, 1, 2)) << i;
  }
}

// The keys of streams

struct StreamKeys {
  std::vector<uint64_t> a, b;
};

void AddStreams(const std::string& rule_name, const std::string& port, uint32_t queues,
                StreamKeys* keys) {
  tp_rule rule = {};
  tp_rule_key(7, tp_name_hash(rule_name.data(), rule_name.size()), &rule.key_a, &rule.key_b);
  for (uint32_t queue = 0; queue < queues; queue++) {
    __u64 a, b;
    tp_stream_key(&rule, tp_name_hash(port.data(), port.size()), queue, &a, &b);
    keys->a.push_back(a);
    keys->b.push_back(b);
  }
}

TEST(StreamKey, NoTwoStreamsShareEitherWord) {
  StreamKeys keys;
  for (int n = 0; n < 3000; n++) {
    for (const char* port : {"lan", "wan", "eth0", "eth1"})
      AddStreams(absl::StrCat("rule-", n), port, 8, &keys);
  }
  // Every name of one or two characters, as a rule's and as a port's.
  std::vector<std::string> names;
  for (char first = '!'; first <= '~'; first++) {
    names.emplace_back(1, first);
    for (char second = ' '; second <= '~'; second++) names.push_back({first, second});
  }
  for (const std::string& name : names) {
    AddStreams(name, "lan", 2, &keys);
    AddStreams("default", name, 16, &keys);
  }
  EXPECT_GT(keys.a.size(), 250000u);
  EXPECT_EQ(Shared(keys.a), 0u);
  EXPECT_EQ(Shared(keys.b), 0u);
}

// Streams whose second words are the same are shifts of each other.
TEST(StreamKey, NoTwoFlowsOfARuleShareEitherWord) {
  tp_rule rule = {};
  tp_rule_key(7, 8, &rule.key_a, &rule.key_b);
  HashedFlow flow(4, 0);
  std::vector<uint64_t> first, second;
  for (size_t i = 0; i < flow.bits(); i++) {
    for (size_t j = 0; j < i; j++) {
      flow.Flip(i), flow.Flip(j);
      first.push_back(flow.Hash());
      second.push_back(tp_flow_second_key(&rule, first.back()));
      flow.Flip(i), flow.Flip(j);
    }
  }
  EXPECT_EQ(Shared(first), 0u);
  EXPECT_EQ(Shared(second), 0u);
}

// Rules of many seeds and names.
TEST(RuleKey, NoTwoSeedsOrNamesShareEitherWord) {
  std::vector<uint64_t> a, b;
  for (uint64_t seed = 0; seed < 600; seed++) {
    for (int n = 0; n < 300; n++) {
      const std::string name = absl::StrCat("rule-", n);
      __u64 key_a, key_b;
      tp_rule_key(seed < 300 ? seed : (seed - 299) << 55, tp_name_hash(name.data(), name.size()),
                  &key_a, &key_b);
      a.push_back(key_a);
      b.push_back(key_b);
    }
  }
  EXPECT_GT(a.size(), 150000u);
  EXPECT_EQ(Shared(a), 0u);
  EXPECT_EQ(Shared(b), 0u);
}

}  // namespace
}  // namespace twinpath
