// SPDX-License-Identifier: BSD-3-Clause
// The generators of the parity test cover what they promise: enough shapes, no two alike,
// well-formed and malformed ones, and policies of every kind whose rules really take frames.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "src/config/policy/reachable.h"
#include "src/policy/pipeline.h"
#include "tests/parity/host_replay.h"
#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"

namespace twinpath {
namespace {

// For each rule, and last for the default, whether `twinpath check` says that packets reach it.
std::vector<bool> Reachable(const RandomPolicy& random) {
  const absl::StatusOr<Policy> policy = ParsePolicy(random.json, "random");
  return policy.ok() ? ReachableRules(*policy, random.ports) : std::vector<bool>();
}

TEST(Generator, MakesThousandsOfDistinctShapes) {
  std::set<std::string> frames;
  std::set<std::string> names;
  std::map<int, int> results;
  int fragments = 0, with_ports = 0, tagged = 0, other = 0;
  const std::vector<Shape> shapes = AllShapes();
  for (const Shape& shape : shapes) {
    frames.insert(std::string(shape.frame.begin(), shape.frame.end()));
    names.insert(shape.name);
    tp_key key;
    const uint8_t* data = shape.frame.data();
    const int result = tp_parse(data, data + shape.frame.size(),
                                static_cast<uint32_t>(shape.frame.size()), 0, &key);
    results[result]++;
    const bool parsed = result == TP_PARSED;
    fragments += parsed && key.flags & TP_KEY_FRAGMENT;
    with_ports += parsed && key.flags & TP_KEY_PORTS;
    tagged += parsed && key.flags & TP_KEY_VLAN;
    other += parsed && !(key.flags & TP_KEY_IP);
  }
  EXPECT_GE(shapes.size(), 2000u);
  EXPECT_EQ(frames.size(), shapes.size());
  EXPECT_EQ(names.size(), shapes.size());
  EXPECT_GT(results[TP_PARSE_CUT], 40);
  EXPECT_GT(results[TP_PARSE_CONTRADICTION], 200);
  EXPECT_GT(results[TP_PARSE_TOO_DEEP], 100);
  EXPECT_GT(fragments, 1000);
  EXPECT_GT(with_ports, 1000);
  EXPECT_GT(tagged, 2000);
  EXPECT_GT(other, 50);
}

TEST(Generator, MakesTheSameFramesEachTime) {
  const std::vector<Shape> a = AllShapes(), b = AllShapes();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) ASSERT_EQ(a[i].frame, b[i].frame) << a[i].name;
}

TEST(Generator, MakesPoliciesThatCompileAndWhoseRulesTakeFrames) {
  const std::vector<Shape> shapes = AllShapes();
  std::set<size_t> rule_counts, port_counts;
  std::map<tp_verdict, int> verdicts;
  size_t rules_hit = 0, shapes_tried = 0, unreachable = 0;
  for (uint64_t number = 0; number < 200; number++) {
    const RandomPolicy random = MakeRandomPolicy(number);
    const absl::StatusOr<CompiledPolicy> policy = Compile(random);
    ASSERT_TRUE(policy.ok()) << "policy " << number << ": " << policy.status() << random.json;
    rule_counts.insert(policy->rules.size());
    port_counts.insert(policy->ports.size());
    HostReplay replay(*policy, random.queues);
    std::set<uint32_t> hit;
    for (size_t i = number % 7; i < shapes.size(); i += 7) {
      const auto verdict = replay.Run(i % policy->ports.size(), 0, shapes[i].frame);
      ASSERT_TRUE(verdict.ok());
      verdicts[verdict->verdict()]++;
      if (verdict->rule()) hit.insert(*verdict->rule());
    }
    const std::vector<bool> reachable = Reachable(random);
    for (const uint32_t rule : hit)
      EXPECT_TRUE(reachable[rule]) << "policy " << number << ", rule " << rule << random.json;
    unreachable += std::count(reachable.begin(), reachable.end(), false);
    rules_hit += hit.size();
    shapes_tried += policy->plans[0].n_shapes;
  }
  EXPECT_GT(rule_counts.size(), 5u);
  EXPECT_EQ(port_counts.size(), 4u);
  EXPECT_GT(rules_hit, 1200u);  // rules with many fields match few frames
  EXPECT_GT(unreachable, 100u);
  EXPECT_GT(shapes_tried, 1500u);
  for (tp_verdict verdict : {TP_TX, TP_PASS, TP_LOST, TP_DENIED})
    EXPECT_GT(verdicts[verdict], 5000) << verdict;
  EXPECT_GT(verdicts[TP_MALFORMED], 2000);  // some policies drop these frames
}

}  // namespace
}  // namespace twinpath
