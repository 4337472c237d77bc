// SPDX-License-Identifier: BSD-3-Clause
// src/metrics/families.h

#include "src/metrics/families.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "src/metrics/server.h"
#include "tests/unit/lib/telemetry_snapshots.h"

namespace twinpath {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Every sample: "name{label=value,...}" -> value.
std::map<std::string, double> Samples(const std::vector<MetricFamily>& families) {
  std::map<std::string, double> samples;
  for (const MetricFamily& family : families) {
    for (const auto& metric : family.metric) {
      std::string name = family.name + "{";
      for (const auto& label : metric.label)
        name += (name.back() == '{' ? "" : ",") + label.name + "=" + label.value;
      const double value =
          family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
      EXPECT_TRUE(samples.emplace(name + "}", value).second) << name << " is there twice";
    }
  }
  return samples;
}

TEST(MetricsTest, EveryCounterOfADatapathIsASample) {
  const auto samples = Samples(MetricFamilies(SmallSnapshot("dpdk")));
  const std::map<std::string, double> expected = {
      {"twinpath_uptime_seconds{}", 12.3456789},
      {"twinpath_port_up{port=lan}", 0},
      {"twinpath_port_from_kernel_total{port=lan}", 12},
      {"twinpath_rx_packets_total{port=lan,queue=0}", 99},
      {"twinpath_rx_bytes_total{port=lan,queue=0}", 6400},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=tx}", 60},
      {"twinpath_verdict_bytes_total{port=lan,queue=0,verdict=tx}", 3840},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=pass}", 4},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=lost}", 5},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=denied}", 6},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=malformed}", 7},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=tx_full}", 8},
      {"twinpath_verdict_packets_total{port=lan,queue=0,verdict=no_port}", 9},
      {"twinpath_tx_packets_total{port=lan,queue=0,to=lan}", 20},
      {"twinpath_tx_packets_total{port=lan,queue=0,to=wan}", 40},
      {"twinpath_marked_packets_total{port=lan,queue=0}", 2},
      {"twinpath_flows_added_total{port=lan,queue=0}", 11},
      {"twinpath_checksums_completed_total{port=lan,queue=0}", 5},
      {"twinpath_rule_matched_packets_total{rule=voix \"é\" 日本 100%\n}", 1000},
      {"twinpath_rule_lost_bytes_total{rule=voix \"é\" 日本 100%\n}", 640},
      {"twinpath_rules_matched_packets_total{}", 1030},  // with those that reloads removed
      {"twinpath_rules_denied_packets_total{}", 31},
      {"twinpath_rules{}", 2},
      {"twinpath_reloads_done_total{}", 4},
      {"twinpath_reloads_rejected_total{}", 1},
      {"twinpath_reloads_longest_switch_seconds{}", 900e-9},
      {"twinpath_lcore_turns_total{lcore=3}", 1000},
      {"twinpath_lcore_slept_seconds_total{lcore=3}", 0.3},
      {"twinpath_mempool_mbufs{node=0}", 8191},
      {"twinpath_mempool_free_mbufs{node=0}", 8000},
      {"twinpath_fault_active{subject=port lan,fault=link_down}", 1},
      {"twinpath_fault_active{subject=lcore 3,fault=stalled}", 0},
      {"twinpath_fault_times_total{subject=port lan,fault=link_down}", 2},
      {"twinpath_fault_last_seconds{subject=port lan,fault=link_down}", 0.3},
      {"twinpath_fault_seconds_total{subject=port lan,fault=link_down}", 1.5},
      {"twinpath_flow_table_places{}", 800},
      {"twinpath_flow_table_bytes{}", 32000},
  };
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(samples.contains(name)) << name;
    EXPECT_DOUBLE_EQ(samples.at(name), value) << name;
  }
}

TEST(MetricsTest, OnlyTheBusiestRulesHaveSeriesAndTheSumIsOfAll) {
  Snapshot snapshot = SmallSnapshot("xdp");
  snapshot.reloads = {};
  snapshot.rules.clear();
  for (uint64_t i = 0; i < 10'000; i++)
    snapshot.rules.push_back({.name = "r" + std::to_string(i), .matched = {i, 64 * i}});
  const auto samples = Samples(MetricFamilies(snapshot));
  size_t shown = 0;
  for (const auto& sample : samples)
    shown += sample.first.starts_with("twinpath_rule_matched_packets_total{");
  EXPECT_EQ(shown, 100u);
  EXPECT_EQ(samples.at("twinpath_rule_matched_packets_total{rule=r9900}"), 9900);
  EXPECT_FALSE(samples.contains("twinpath_rule_matched_packets_total{rule=r9899}"));
  EXPECT_EQ(samples.at("twinpath_rules_matched_packets_total{}"), 49'995'000);
  EXPECT_EQ(samples.at("twinpath_rules{}"), 10'000);
}

TEST(MetricsTest, TheSplicersTotalsAreItsOnlyCounters) {
  Snapshot snapshot = {.path = "splice", .version = "0.1.0"};
  snapshot.sections = {.help = "x",
                       .about = {{"listen", std::string("[::]:80")}},
                       .totals = {{"accepted", uint64_t{7}}, {"open", uint64_t{2}}}};
  const auto samples = Samples(MetricFamilies(snapshot));
  EXPECT_EQ(samples.at("twinpath_splice_accepted_total{}"), 7);
  EXPECT_EQ(samples.at("twinpath_splice_open{}"), 2);
  EXPECT_EQ(samples.size(), 4u);  // these, twinpath_info and twinpath_uptime_seconds
}

TEST(MetricsTest, AProgramWithoutAPathYetHasNoSample) {
  EXPECT_TRUE(MetricFamilies(Snapshot()).empty());
}

TEST(MetricsTest, BytesThatAreNotUtf8AreReplaced) {
  Snapshot snapshot = SmallSnapshot("xdp");
  snapshot.rules[0].name = "a\xff";
  EXPECT_TRUE(Samples(MetricFamilies(snapshot))
                  .contains("twinpath_rule_matched_packets_total{rule=a\xef\xbf\xbd}"));
}

TEST(MetricsTest, AnAddressHasAPort) {
  for (const char* good : {"127.0.0.1:9464", "0.0.0.0:0", "127.0.0.1:65535", "9464"})
    EXPECT_EQ(WrongMetricsAddress(good), "") << good;
  for (const char* bad : {"", ":", ":9464", "localhost:9464", "127.0.0.1", "127.0.0.1:", "1.2.3:4",
                          "127.0.0.1:65536", "127.0.0.1:9464s", "127.0.0.1:9464,80", "+9464",
                          "::1:9464", "[::1]:9464", "[]:1", "[1.2.3.4]:1", "-1", "127.0.0.1: 1"})
    EXPECT_EQ(WrongMetricsAddress(bad),
              std::string("found \"") + bad +
                  "\", allowed ADDRESS:PORT or PORT, with an IPv4 address and a port from 0 to "
                  "65535: 127.0.0.1:9464");
}

}  // namespace
}  // namespace twinpath
