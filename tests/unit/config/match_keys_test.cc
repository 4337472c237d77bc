// SPDX-License-Identifier: BSD-3-Clause
// Compares the masked keys of a match with its meaning: a packet matches iff it has one of the
// keys.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/config/compile/match_keys.h"
#include "tests/unit/lib/match_oracle.h"

namespace twinpath {
namespace {

const std::vector<std::string> kPorts = {"a", "b", "c"};

// The number of keys that the packet has.
size_t Having(const MatchKeys& keys, const tp_key& packet) {
  using Word = uint64_t __attribute__((may_alias));
  size_t having = 0;
  for (size_t i = 0; i < keys.size(); i++) {
    const tp_key mask = keys.Mask(i), value = keys.Value(i);
    bool equal = true;
    for (size_t w = 0; w < TP_KEY_WORDS; w++) {
      const Word asked = reinterpret_cast<const Word*>(&mask)[w];
      equal &= (reinterpret_cast<const Word*>(&packet)[w] & asked) ==
               reinterpret_cast<const Word*>(&value)[w];
    }
    having += equal;
  }
  return having;
}

TEST(MatchKeysTest, APacketMeetsAMatchIffItHasOneOfItsKeys) {
  MatchGenerator generate(20261122, kPorts);
  std::vector<tp_key> packets;
  for (int i = 0; i < 300; i++) packets.push_back(generate.Key());
  size_t met = 0, asked = 0;
  for (int i = 0; i < 3000; i++) {
    const tp_key& like = packets[generate.Below(300)];
    MatchSpec match = generate.Match(like);
    generate.AddLaterFields(like, &match);
    uint8_t port = 0;
    while (match.port && kPorts[port] != *match.port) port++;
    const MatchKeys keys = KeysOf(match, port);
    for (int j = 0; j < 20; j++) {
      const tp_key& packet = j ? packets[generate.Below(300)] : like;
      const bool expected = Matches(match, packet, kPorts);
      ASSERT_EQ(Having(keys, packet), expected ? 1u : 0u) << "match " << i << ", packet " << j;
      met += expected;
      asked++;
    }
  }
  // The comparison is meaningful.
  EXPECT_GT(met * 20, asked);
  EXPECT_LT(met * 2, asked);
}

TEST(MatchKeysTest, RangesMultiplyAndAreCountedBeforeTheyAreEnumerated) {
  MatchSpec match;
  match.src_port = match.dst_port = PortRange{1, 65534};
  EXPECT_EQ(KeysOf(match, 0).size(), 900u);
  EXPECT_EQ(KeysOf(match, 0).shapes(), 225u);
  match.length = LengthRange{1, 65534};
  const MatchKeys keys = KeysOf(match, 0);
  EXPECT_EQ(keys.size(), 27'000u);
  EXPECT_EQ(keys.shapes(), 15u * 15 * 15);
  match.length = LengthRange{64, 127};
  match.src_port.reset();
  EXPECT_EQ(KeysOf(match, 0).size(), 30u);
}

TEST(MatchKeysTest, NoMatchAsksNothingButOneOfThePortAlone) {
  MatchSpec match;
  EXPECT_TRUE(MatchesEveryFrame(match));
  match.port.emplace(1, 'a');
  EXPECT_TRUE(MatchesEveryFrame(match));
  auto asks = [](auto set) {
    MatchSpec one;
    set(&one);
    return !MatchesEveryFrame(one);
  };
  EXPECT_TRUE(asks([](MatchSpec* m) { m->tcp_flags.emplace(); }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->dscp = 0; }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->ecn = 0; }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->fragment = FragmentMatch::kNone; }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->length = LengthRange{0, 65535}; }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->vlan.emplace(); }));
  EXPECT_TRUE(asks([](MatchSpec* m) { m->malformed = false; }));
}

}  // namespace
}  // namespace twinpath
