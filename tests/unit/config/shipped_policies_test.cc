// SPDX-License-Identifier: BSD-3-Clause
// The policies in dpdk-conf/policies do what they say: when each rule holds, its loss in the long
// run and the lengths of its bursts, and that each rule can be reached.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/config/describe/describe.h"
#include "src/config/describe/loss_statistics.h"
#include "src/config/policy/policy.h"
#include "src/config/policy/reachable.h"

namespace twinpath {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(TWINPATH_SOURCE_ROOT) / "dpdk-conf" / "policies";

struct Meaning {
  double rate, mean_burst;
  std::string when;
};

// Every rule that has a loss or a condition, by the name of the file and its own.
const std::map<std::pair<std::string, std::string>, Meaning>& Meanings() {
  static const auto& meanings = *new std::map<std::pair<std::string, std::string>, Meaning>{
      {{"half-loss", "default"}, {0.5, 2, ""}},
      {{"five-tuple", "backup"}, {0.02, 1 / 0.98, ""}},
      {{"five-tuple", "replica"}, {0.005, 1 / 0.995, ""}},
      {{"five-tuple", "video"}, {0.1, 1 / 0.9, ""}},
      {{"five-tuple", "cut"}, {1, INFINITY, ""}},
      {{"lab", "tcp 1%"}, {0.01, 1 / 0.99, ""}},
      {{"lab", "udp 50%"}, {0.5, 2, ""}},
      {{"voip-loss", "sip out"}, {0.001, 1 / 0.999, ""}},
      {{"voip-loss", "rtp out"}, {0.03, 1 / 0.97, ""}},
      {{"voip-loss", "rtp in"}, {0.03, 1 / 0.97, ""}},
      {{"wire", "lan to wan"}, {0.01, 1 / 0.99, ""}},
      {{"wire", "wan to lan"}, {0.01, 1 / 0.99, ""}},
      // Bad for 1 / 21 of the time: (0.8 + 20 x 0.001) / 21. A loss is followed by a packet
      // received with 0.2 x 0.999 + 0.8 x 0.2 of those in the bad state, 0.01 x 0.2 + 0.99 x 0.999
      // else.
      {{"bursty-wifi", "default"},
       {0.82 / 21, 0.82 / (0.8 * (0.2 * 0.999 + 0.8 * 0.2) + 0.02 * (0.002 + 0.99 * 0.999)), ""}},
      {{"lossy-calls", "rtp"}, {0.02, 1 / 0.3332, ""}},
      {{"one-flow-in-twenty", "broken tcp"}, {0, 0, "for 5 % of the flows"}},
      {{"one-flow-in-twenty", "broken udp"}, {0, 0, "for 5 % of the flows"}},
      {{"syn-loss", "connection requests"}, {0.3, 1 / 0.7, ""}},
      {{"outage-every-minute", "outage"}, {0, 0, "for 10 s of every 1 min, from 30 s on"}},
      {{"every-thousandth", "default"}, {0.001, 1, ""}},
      {{"lossy-ipv6-subnet", "to the subnet"}, {0.05, 1 / 0.95, ""}},
      {{"lossy-ipv6-subnet", "from the subnet"}, {0.05, 1 / 0.95, ""}},
      {{"correlated-loss", "default"}, {0.01, 1 / (0.99 * 0.75), ""}},
      {{"ecn-marking", "congestion"}, {0.02, 1 / 0.98, ""}},
      // s1 : s3 : s2 : s4 = 1 : 1/15 : 1/30 : 0.002.
      {{"satellite", "default"},
       {(1.0 / 15 + 0.002) / 1.102, (1.0 / 15 + 0.002) / (0.375 / 15 + 0.002), ""}},
      {{"link-flap", "cut"}, {0, 0, "for 200 ms of every 5 s, from 10 s on"}},
      {{"vlan-loss", "vlan 100 out"}, {0.05, 1 / 0.95, ""}},
      {{"vlan-loss", "vlan 100 in"}, {0.05, 1 / 0.95, ""}},
      {{"vlan-loss", "provider out"}, {0.01, 1 / 0.99, ""}},
      {{"vlan-loss", "provider in"}, {0.01, 1 / 0.99, ""}},
      {{"first-packet-lost", "cold start"}, {2.0 / 3, 1, ""}},
  };
  return meanings;
}

// The folder and its sub-folders also have other files, a README for example.
std::vector<std::filesystem::path> Policies() {
  std::vector<std::filesystem::path> policies;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kFolder)) {
    if (file.path().extension() == ".json") policies.push_back(file.path());
  }
  return policies;
}

TEST(ShippedPoliciesTest, EachRuleMeansWhatItIsToMean) {
  size_t told = 0;
  for (const std::filesystem::path& file : Policies()) {
    absl::StatusOr<Policy> policy = LoadPolicy(file);
    ASSERT_TRUE(policy.ok()) << policy.status();
    std::vector<RuleSpec> rules = policy->rules;
    rules.push_back(policy->fallback);
    for (const RuleSpec& rule : rules) {
      const auto meaning = Meanings().find({file.stem(), rule.name});
      const bool plain = rule.loss == LossSpec() && DescribeWhen(rule).empty();
      ASSERT_EQ(meaning == Meanings().end(), plain) << file << " " << rule.name;
      if (plain) continue;
      told++;
      const LossStatistics statistics = StatisticsOf(rule.loss);
      const double burst = meaning->second.mean_burst;
      EXPECT_NEAR(statistics.rate, meaning->second.rate, 1e-12) << file << " " << rule.name;
      EXPECT_TRUE(statistics.mean_burst == burst ||
                  std::fabs(statistics.mean_burst - burst) < 1e-9 * burst)
          << file << " " << rule.name << ": " << statistics.mean_burst;
      EXPECT_EQ(DescribeWhen(rule), meaning->second.when) << file << " " << rule.name;
    }
  }
  EXPECT_EQ(told, Meanings().size());
}

TEST(ShippedPoliciesTest, EachRuleCanBeMet) {
  for (const std::filesystem::path& file : Policies()) {
    absl::StatusOr<Policy> policy = LoadPolicy(file);
    ASSERT_TRUE(policy.ok()) << policy.status();
    std::vector<std::string> ports = policy->ports;
    if (ports.empty()) ports.push_back("any");
    std::vector<bool> reachable = ReachableRules(*policy, ports);
    reachable.pop_back();  // the default rule of a wire takes no packet
    EXPECT_EQ(std::count(reachable.begin(), reachable.end(), false), 0) << file;
  }
}

}  // namespace
}  // namespace twinpath
