// SPDX-License-Identifier: BSD-3-Clause
// The compiled form of a policy: exact numbers of shapes, keys, plans, rules, and the limits.

#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/match_keys.h"
#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

CompiledPolicy Compile(const std::string& rules, const std::vector<std::string>& ports,
                       const std::string& rest = "") {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat("{\"version\": 1, \"rules\": [", rules, "]", rest, "}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  if (!policy.ok()) return {};
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return compiled.ok() ? *compiled : CompiledPolicy();
}

std::string CompileError(const std::string& rules, const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat("{\"version\": 1, \"rules\": [", rules, "]}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  if (!policy.ok()) return "";
  absl::Status status = CompilePolicy(*policy, ports).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

std::string Repeat(size_t n, const std::function<std::string(size_t)>& rule) {
  std::string rules;
  for (size_t i = 0; i < n; i++) absl::StrAppend(&rules, i ? "," : "", rule(i));
  return rules;
}

TEST(CompileTablesTest, TenThousandFiveTuplesAreOneShape) {
  CompiledPolicy c =
      Compile(Repeat(10000,
                     [](size_t i) {
                       return absl::StrCat(
                           R"({"match": {"proto": "udp", "src": "10.0.)", i / 256, ".", i % 256,
                           R"(", "dst": "10.1.0.1", "src_port": 7, "dst_port": )", i % 60000, "}}");
                     }),
              {"a"});
  EXPECT_EQ(c.shapes.size(), 1u);
  EXPECT_EQ(c.entries.size(), 10000u);
  EXPECT_EQ(c.buckets.size(), 8192u + TP_MAX_PROBES - 1);
  EXPECT_EQ(c.plans[0].n_shapes, 1u);
  EXPECT_EQ(c.plans[0].fallback, 10000u);
}

TEST(CompileTablesTest, BucketsAreFilledFromSlotZeroAndEveryEntryIsFoundOnce) {
  CompiledPolicy c = Compile(
      Repeat(5000, [](size_t i) { return absl::StrCat(R"({"match": {"dst_port": )", i, "}}"); }),
      {"a"});
  std::set<uint32_t> entries;
  size_t full = 0;
  for (const tp_bucket& bucket : c.buckets) {
    full += bucket.used == TP_BUCKET_SLOTS;
    for (uint32_t slot = 0; slot < TP_BUCKET_SLOTS; slot++) {
      EXPECT_EQ(bucket.tag[slot] != 0, slot < bucket.used);
      if (slot >= bucket.used) continue;
      EXPECT_TRUE(entries.insert(bucket.entry[slot]).second);
    }
  }
  EXPECT_EQ(entries.size(), 5000u);
  EXPECT_LT(full * 25, c.buckets.size());  // fewer than 4 % of lookups touch a second line
}

TEST(CompileTablesTest, RangesBecomeTheFewestPrefixes) {
  struct Case {
    PortRange range;
    size_t prefixes;
  };
  for (const Case& c :
       {Case{{80, 80}, 1}, Case{{0, 65535}, 1}, Case{{5000, 5999}, 9}, Case{{1, 65534}, 30},
        Case{{1024, 65535}, 6}, Case{{0, 0}, 1}, Case{{65535, 65535}, 1}, Case{{1, 2}, 2}}) {
    std::vector<RangePrefix> prefixes = CoverRange(c.range.first, c.range.last);
    EXPECT_EQ(prefixes.size(), c.prefixes) << c.range.first << "-" << c.range.last;
    for (uint32_t port = 0; port < 65536; port++) {
      size_t holding = 0;
      for (const RangePrefix& p : prefixes) holding += (port & p.mask) == p.value;
      ASSERT_EQ(holding, port >= c.range.first && port <= c.range.last ? 1u : 0u) << port;
    }
  }
}

TEST(CompileTablesTest, SourceAndDestinationRangesMultiply) {
  CompiledPolicy c = Compile(R"({"match": {"src_port": "1-2", "dst_port": "5000-5999"}})", {"a"});
  EXPECT_EQ(c.entries.size(), 18u);
  EXPECT_EQ(c.shapes.size(), 6u);  // 1-2 has one prefix length, 5000-5999 has six
}

TEST(CompileTablesTest, AMaskCoversWhatIsAskedAndTheFlagsThatSayItHolds) {
  CompiledPolicy c = Compile(
      R"({"match": {"proto": "tcp", "dst": "10.32.0.0/11", "dst_port": 80, "vlan": 5}})", {"a"});
  ASSERT_EQ(c.shapes.size(), 1u);
  tp_key mask = {}, value = {};
  mask.flags = value.flags = TP_KEY_IP | TP_KEY_PORTS | TP_KEY_VLAN;
  mask.flags |= TP_KEY_UNREAD;
  mask.vlan = 0xfff | TP_VLAN_UNREAD;
  value.vlan = 5;
  mask.ip_version = 0xff;
  value.ip_version = 4;
  mask.proto = 0xff;
  value.proto = 6;
  mask.address[4] = 0xff;
  mask.address[5] = 0xe0;
  value.address[4] = 10;
  value.address[5] = 32;
  mask.dst_port = 0xffff;
  value.dst_port = htons(80);
  mask.shape = value.shape = 1;
  EXPECT_EQ(std::memcmp(&c.shapes[0].mask, &mask, sizeof(mask)), 0);
  EXPECT_EQ(std::memcmp(&c.entries[0], &value, sizeof(value)), 0);
}

TEST(CompileTablesTest, NoVlanIsTheFlagAskedForAndAbsent) {
  CompiledPolicy c = Compile(R"({"match": {"vlan": "none"}})", {"a"});
  EXPECT_EQ(c.shapes[0].mask.flags, TP_KEY_VLAN);
  EXPECT_EQ(c.shapes[0].mask.vlan, TP_VLAN_UNREAD) << "the tags were read";
  EXPECT_EQ(c.entries[0].flags, 0);
  EXPECT_TRUE(c.matches_vlan);
}

TEST(CompileTablesTest, AFrameIsNotLookedIntoWhereOnlyItsPortIsAskedFor) {
  CompiledPolicy c = Compile(R"({"match": {"port": "a"}, "forward": {"port": "b"}},
                                {"match": {"port": "b"}, "forward": {"port": "a"}},
                                {"match": {"proto": 17}})",
                             {"a", "b"});
  for (size_t p = 0; p < 2; p++) {
    EXPECT_EQ(c.plans[p].n_shapes, 0u);
    EXPECT_EQ(c.plans[p].fallback, p);
  }
  EXPECT_TRUE(c.shapes.empty());
  EXPECT_TRUE(c.entries.empty());
  EXPECT_EQ(c.buckets.size(), 2u + TP_MAX_PROBES - 1);
}

TEST(CompileTablesTest, APolicyThatDropsMalformedFramesReadsEveryFrame) {
  const std::string rules = R"({"match": {"port": "a"}, "forward": {"port": "b"}},
                               {"match": {"proto": 17}})";
  EXPECT_FALSE(Compile(rules, {"a", "b"}).drops_malformed);
  const CompiledPolicy c = Compile(rules, {"a", "b"}, R"(, "malformed": "drop")");
  EXPECT_TRUE(c.drops_malformed);
  EXPECT_EQ(c.plans[0].tier, TP_TIER_HEADERS);
  ASSERT_EQ(c.plans[0].n_shapes, 1u);
  EXPECT_EQ(c.shapes[c.plans[0].first_shape].min_rule, TP_NO_RULE) << "no rule is looked up";
  ASSERT_EQ(c.plans[1].n_shapes, 1u);
  EXPECT_EQ(c.shapes[c.plans[1].first_shape].min_rule, 1u);
}

TEST(CompileTablesTest, APortTriesOnlyWhatItCanMeetInOrderOfTheFirstRule) {
  CompiledPolicy c = Compile(R"({"match": {"port": "b", "proto": 6}},
                                {"match": {"dst_port": 53}},
                                {"match": {"port": "a", "proto": 6}},
                                {"match": {"port": "b"}},
                                {"match": {"ether_type": "arp"}})",
                             {"a", "b"});
  const tp_plan &a = c.plans[0], &b = c.plans[1];
  ASSERT_EQ(a.n_shapes, 3u);
  ASSERT_EQ(b.n_shapes, 2u);
  EXPECT_EQ(a.fallback, 5u);
  EXPECT_EQ(b.fallback, 3u);
  EXPECT_EQ(c.shapes[a.first_shape].min_rule, 1u);
  EXPECT_EQ(c.shapes[a.first_shape + 1].min_rule, 2u);
  EXPECT_EQ(c.shapes[a.first_shape + 2].min_rule, 4u);
  EXPECT_EQ(c.shapes[b.first_shape].min_rule, 0u);
  EXPECT_EQ(c.shapes[b.first_shape + 1].min_rule, 1u);
  EXPECT_EQ(c.entries.size(), 4u);
}

TEST(CompileTablesTest, TheEarlierOfTwoRulesWithOneKeyStays) {
  CompiledPolicy c = Compile(R"({"match": {"dst_port": "80-81"}}, {"match": {"dst_port": 81}},
                                {"match": {"dst_port": "80-81"}})",
                             {"a"});
  EXPECT_EQ(c.entries.size(), 2u);
  EXPECT_EQ(c.shapes.size(), 2u);
}

TEST(CompileTablesTest, ExactEndsOfARateDrawNothing) {
  CompiledPolicy c = Compile(R"({"loss": {"model": "random", "rate": 0}},
                                {"loss": {"model": "random", "rate": "100%"}},
                                {"loss": {"model": "random", "rate": 0.5}, "forward": "drop"},
                                {"forward": "reflect"}, {"forward": {"port": "b"}})",
                             {"a", "b"});
  EXPECT_EQ(c.rules[0].loss, TP_LOSS_NONE);
  EXPECT_EQ(c.rules[1].loss, TP_LOSS_ALL);
  EXPECT_EQ(c.rules[2].loss, TP_LOSS_STREAM);
  EXPECT_EQ(c.rules[2].threshold, 1ull << 63);
  EXPECT_EQ(c.rules[0].action, TP_ACTION_PASS);
  EXPECT_EQ(c.rules[2].action, TP_ACTION_DROP);
  EXPECT_EQ(c.rules[3].action, TP_ACTION_REFLECT);
  EXPECT_EQ(c.rules[4].action, TP_ACTION_PORT);
  EXPECT_EQ(c.rules[4].out_port, 1);
  EXPECT_EQ(c.rules[5].action, TP_ACTION_PASS);
  EXPECT_EQ(c.rule_names, (std::vector<std::string>{"rule-0", "rule-1", "rule-2", "rule-3",
                                                    "rule-4", "default"}));
}

// The fast tiers know neither; only answers have a count of their own.
TEST(CompileTablesTest, RewritingActionsNeedTheGeneralTierOfTheirPorts) {
  CompiledPolicy c = Compile(R"({"match": {"port": "b"}, "forward": "reflect-flow"})", {"a", "b"});
  EXPECT_EQ(c.rules[0].action, TP_ACTION_REFLECT_FLOW);
  EXPECT_EQ(c.plans[0].tier, TP_TIER_BLIND);
  EXPECT_EQ(c.plans[1].tier, TP_TIER_GENERAL);
  EXPECT_EQ(c.sends[1], 2u);
  EXPECT_FALSE(c.rule_extras);
  c = Compile(R"({"match": {"port": "b"}, "forward": "reflect-echo"})", {"a", "b"});
  EXPECT_EQ(c.rules[0].action, TP_ACTION_REFLECT_ECHO);
  EXPECT_EQ(c.plans[0].tier, TP_TIER_BLIND);
  EXPECT_EQ(c.plans[1].tier, TP_TIER_GENERAL);
  EXPECT_EQ(c.sends[1], 2u);
  EXPECT_TRUE(c.rule_extras);
}

TEST(CompileTablesTest, OnlyRulesInReachNeedSomethingOfTheDatapath) {
  CompiledPolicy c = Compile(R"({"match": {"vlan": 5}, "forward": {"port": "b"}})", {"a", "b"});
  EXPECT_TRUE(c.passes);
  EXPECT_EQ(c.sends, (std::vector<uint32_t>{2, 2}));
  EXPECT_TRUE(c.matches_vlan);
  c = Compile(R"({"forward": "drop"}, {"match": {"vlan": 5}, "forward": {"port": "b"}})",
              {"a", "b"});
  EXPECT_FALSE(c.passes);
  EXPECT_EQ(c.sends, (std::vector<uint32_t>{0, 0}));
  EXPECT_FALSE(c.matches_vlan);
  c = Compile(R"({"match": {"port": "b", "vlan": 5}, "forward": "reflect"})", {"a", "b"});
  EXPECT_EQ(c.sends, (std::vector<uint32_t>{0, 2}));
}

TEST(CompileTablesTest, NothingPassesWhereEveryRuleSaysOtherwise) {
  CompiledPolicy c = Compile("", {"a"}, R"(, "default": {"forward": "drop"})");
  EXPECT_FALSE(c.passes);
  EXPECT_EQ(c.sends, std::vector<uint32_t>{0});
}

TEST(CompileTablesTest, AStreamIsKeyedByNamesAndNotByPlaces) {
  const std::string voip = R"({"name": "voip", "loss": {"model": "random", "rate": 0.5}})";
  CompiledPolicy one = Compile(voip, {"a", "b"}, R"(, "seed": 9)");
  CompiledPolicy two =
      Compile(R"({"name": "x", "match": {"proto": 1}},)" + voip, {"b", "a"}, R"(, "seed": 9)");
  std::vector<tp_state> first = InitialStates(one, 0, 3), second = InitialStates(two, 1, 3);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(first[0].key_a, second[1].key_a);
  EXPECT_EQ(first[0].key_b, second[1].key_b);
  EXPECT_EQ(first[0].rule, 0u);
  EXPECT_EQ(second[1].rule, 1u);
  // Each queue, port, rule and seed has its own stream.
  EXPECT_NE(first[0].key_a, InitialStates(one, 0, 4)[0].key_a);
  EXPECT_NE(first[0].key_a, InitialStates(one, 1, 3)[0].key_a);
  EXPECT_NE(first[0].key_a, first[1].key_a);
  EXPECT_NE(first[0].key_a, InitialStates(Compile(voip, {"a", "b"}), 0, 3)[0].key_a);
}

TEST(CompileTablesTest, APortThatTheProgramHasNotIsNamedWhereItIsFirstUsed) {
  EXPECT_EQ(
      CompileError(R"({}, {"forward": {"port": "wan"}}, {"match": {"port": "wan"}})",
                   {"lan", "dmz"}),
      R"(p: /rules/1/forward/port: found "wan", allowed one of the program's ports: lan, dmz)");
}

TEST(CompileTablesTest, LimitsAreRefusedWithTheCounts) {
  EXPECT_EQ(CompileError("", {}), "p: found 0 ports, allowed 1 to 16");
  EXPECT_EQ(CompileError("", std::vector<std::string>(17, "a")),
            "p: found 17 ports, allowed 1 to 16");
  EXPECT_EQ(CompileError("", {"a", "b", "a"}), "p: found port \"a\" twice, allowed each port once");
  EXPECT_EQ(CompileError(Repeat(65535, [](size_t) { return "{}"; }), {"a"}),
            "p: /rules: found 65535 rules, allowed at most 65534 besides the default");
  // Every pair of prefix lengths is a separate shape.
  EXPECT_EQ(CompileError(Repeat(300,
                                [](size_t i) {
                                  return absl::StrCat(R"({"match": {"src": "0.0.0.0/)", i % 20,
                                                      R"(", "dst": "0.0.0.0/)", i / 20, "\"}}");
                                }),
                         {"a"}),
            "p: /rules/256/match: found 257 shapes of match up to here (sets of fields and prefix "
            "lengths) on port \"a\", allowed at most 256");
  // 900 keys each.
  EXPECT_EQ(CompileError(Repeat(300,
                                [](size_t i) {
                                  return absl::StrCat(R"({"match": {"proto": 6, "vlan": )", i,
                                                      R"(, "src_port": "1-65534",)",
                                                      R"( "dst_port": "1-65534"}})");
                                }),
                         {"a"}),
            "p: /rules/291/match: found 262145 keys up to here (a range of ports is several), "
            "allowed at most 262144");
  // As many rules as are allowed, which all have the same 900 keys.
  EXPECT_EQ(CompileError(Repeat(65534,
                                [](size_t) {
                                  return std::string(R"({"match": {"src_port": "1-65534",)"
                                                     R"( "dst_port": "1-65534"}})");
                                }),
                         {"a"}),
            "p: /rules: found 58,980,600 keys of all rules together (ranges of a rule multiply), "
            "allowed at most 1,048,576");
}

TEST(CompileTablesTest, AsManyShapesAndKeysAsAreAllowedFit) {
  // 16 prefixes each way: 256 shapes, and 256 keys for each of 1024 rules.
  CompiledPolicy c =
      Compile(Repeat(1024,
                     [](size_t i) {
                       return absl::StrCat(R"({"match": {"vlan": )", i,
                                           R"(, "src_port": "1-65535", "dst_port": "1-65535"}})");
                     }),
              {"a"});
  EXPECT_EQ(c.entries.size(), 262144u);
  EXPECT_EQ(c.plans[0].n_shapes, 256u);
}

}  // namespace
}  // namespace twinpath
