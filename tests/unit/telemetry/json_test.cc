// SPDX-License-Identifier: BSD-3-Clause
// The summary, its tables, and the figures in them.

#include "src/telemetry/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "src/telemetry/table/text_table.h"
#include "tests/unit/lib/telemetry_snapshots.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

TEST(Counters, TransmittedSumsOverAllOutPorts) {
  const tp_count sent = Transmitted(SmallSnapshot("dpdk").queues[0].counters);
  EXPECT_EQ(sent.packets, 60u);
  EXPECT_EQ(sent.bytes, 3840u);
}

TEST(Counters, ImbalanceIsWhatIsNotAccountedFor) {
  tp_queue_counters counters = SmallSnapshot("dpdk").queues[0].counters;
  EXPECT_EQ(Imbalance(counters), 0);
  counters.rx.packets += 5;
  EXPECT_EQ(Imbalance(counters), 5);
  counters.verdict[TP_NO_PORT].packets += 7;
  EXPECT_EQ(Imbalance(counters), -2);
}

TEST(Counters, StatesOfAllQueuesAddUpToTheirRules) {
  std::vector<tp_state> states(3);
  states[0] = {.n = 10, .lost_packets = 4, .matched_bytes = 640, .lost_bytes = 256, .rule = 1};
  states[1] = {.n = 5, .lost_packets = 1, .matched_bytes = 320, .lost_bytes = 64, .rule = 1};
  states[2] = {.n = 1, .rule = 7};  // of a rule that does not exist
  std::vector<RuleSnapshot> rules = {{"a", {}, {}}, {"b", {100, 100}, {0, 0}}};
  AddStates(states.data(), states.size(), &rules);
  EXPECT_EQ(rules[0].matched.packets, 0u);
  EXPECT_EQ(rules[1].matched.packets, 115u);
  EXPECT_EQ(rules[1].matched.bytes, 1060u);
  EXPECT_EQ(rules[1].lost.packets, 5u);
  EXPECT_EQ(rules[1].lost.bytes, 320u);
}

// Figures computed from Wilson's formula in 50-digit decimal arithmetic.
TEST(LossRateBounds, AreWilsonsAt95Percent) {
  const struct {
    uint64_t lost, matched;
    double low, high;
  } cases[] = {{0, 10, 0, 0.277532799862889255},
               {10, 10, 0.722467200137110745, 1},
               {10, 1000, 0.005440754445529248, 0.018309468870314773},
               {5, 10, 0.236593090512563978, 0.763406909487436022},
               {500000, 1000000, 0.499020019890004784, 0.500979980109995216}};
  for (const auto& c : cases) {
    const auto [low, high] = LossRateBounds(c.lost, c.matched);
    EXPECT_NEAR(low, c.low, 1e-12) << c.lost << " of " << c.matched;
    EXPECT_NEAR(high, c.high, 1e-12) << c.lost << " of " << c.matched;
  }
}

TEST(LossRateBounds, KnowNothingWhereNoneMatched) {
  EXPECT_EQ(LossRateBounds(0, 0), (std::pair<double, double>(0, 1)));
}

TEST(LossRateBounds, HoldTheRateAtEverySize) {
  for (uint64_t matched = 1; matched < (1ull << 62); matched *= 3)
    for (const uint64_t lost : {uint64_t{0}, uint64_t{1}, matched / 2, matched - 1, matched}) {
      const auto [low, high] = LossRateBounds(lost, matched);
      const double rate = static_cast<double>(lost) / static_cast<double>(matched);
      EXPECT_LE(low, rate) << lost << " of " << matched;
      EXPECT_GE(high, rate) << lost << " of " << matched;
      EXPECT_GE(low, 0);
      EXPECT_LE(high, 1);
    }
}

TEST(SummaryJson, HasEveryFieldOfTheContract) {
  const ordered_json expected = ordered_json::parse(R"({
    "path": "dpdk", "version": "0.1.0", "seed": 7,
    "policy": {"file": "policies/half \"50%\".json",
      "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    "duration_s": 12.345679,
    "flow_table": {"places": 800, "bytes": 32000},
    "ports": [
      {"name": "lan", "device": "veth0", "driver": "net_af_xdp", "queues": 1, "mode": "copy",
       "why": "no zero-copy", "link": "down", "from_kernel": 12},
      {"name": "wan", "device": "net_null0", "driver": "net_null", "queues": 1, "mode": "vdev",
       "why": ""}],
    "queues": [
      {"port": "lan", "queue": 0, "lcore": 3, "rx_packets": 99, "rx_bytes": 6400,
       "tx_packets": 60, "tx_bytes": 3840, "pass_packets": 4, "pass_bytes": 256,
       "lost_packets": 5, "lost_bytes": 320, "denied_packets": 6, "denied_bytes": 384,
       "malformed_packets": 7, "malformed_bytes": 448, "tx_full_packets": 8, "tx_full_bytes": 512,
       "no_port_packets": 9, "no_port_bytes": 576, "marked_packets": 2, "marked_bytes": 128,
       "flows_added": 11, "flows_evicted": 1, "checksums_completed": 5, "tx_to": {"lan": 20, "wan": 40}},
      {"port": "wan", "queue": 0, "lcore": -1, "rx_packets": 0, "rx_bytes": 0,
       "tx_packets": 0, "tx_bytes": 0, "pass_packets": 0, "pass_bytes": 0,
       "lost_packets": 0, "lost_bytes": 0, "denied_packets": 0, "denied_bytes": 0,
       "malformed_packets": 0, "malformed_bytes": 0, "tx_full_packets": 0, "tx_full_bytes": 0,
       "no_port_packets": 0, "no_port_bytes": 0, "marked_packets": 0, "marked_bytes": 0,
       "flows_added": 0, "flows_evicted": 0, "checksums_completed": 0, "tx_to": {}}],
    "rules": [
      {"name": "voix \"é\" 日本 100%\n", "matched_packets": 1000, "matched_bytes": 64000,
       "lost_packets": 10, "lost_bytes": 640, "marked_packets": 3,
       "marked_bytes": 192, "to_send_packets": 900, "to_send_bytes": 57600, "to_pass_packets": 60,
       "to_pass_bytes": 3840, "denied_packets": 30, "denied_bytes": 1920, "loss_rate": 0.01, "loss_rate_low": 0,
       "loss_rate_high": 0},
      {"name": "default", "matched_packets": 0, "matched_bytes": 0, "lost_packets": 0,
       "lost_bytes": 0, "marked_packets": 0, "marked_bytes": 0, "to_send_packets": 0,
       "to_send_bytes": 0, "to_pass_packets": 0, "to_pass_bytes": 0, "denied_packets": 0,
       "denied_bytes": 0, "loss_rate": 0.0, "loss_rate_low": 0.0, "loss_rate_high": 1.0}],
    "totals": {"rx_packets": 99, "rx_bytes": 6400,
       "tx_packets": 60, "tx_bytes": 3840, "pass_packets": 4, "pass_bytes": 256,
       "lost_packets": 5, "lost_bytes": 320, "denied_packets": 6, "denied_bytes": 384,
       "malformed_packets": 7, "malformed_bytes": 448, "tx_full_packets": 8, "tx_full_bytes": 512,
       "no_port_packets": 9, "no_port_bytes": 576},
    "reloads": {"done": 4, "rejected": 1, "longest_switch_ns": 900,
       "retired_matched_packets": 30, "retired_matched_bytes": 1920,
       "retired_lost_packets": 20, "retired_lost_bytes": 1280,
       "retired_marked_packets": 10, "retired_marked_bytes": 640,
       "retired_to_send_packets": 7, "retired_to_send_bytes": 448,
       "retired_to_pass_packets": 2, "retired_to_pass_bytes": 128,
       "retired_denied_packets": 1, "retired_denied_bytes": 64},
    "mempools": [{"node": 0, "mbufs": 8191, "free_mbufs": 8000}],
    "faults": [
      {"subject": "port lan", "fault": "link_down", "active": true, "times": 2, "last_ms": 300, "total_ms": 1500},
      {"subject": "lcore 3", "fault": "stalled", "active": false, "times": 1, "last_ms": 2000, "total_ms": 2000}]})");
  ordered_json summary = SummaryJson(SmallSnapshot("dpdk"));
  const auto bounds = LossRateBounds(10, 1000);
  EXPECT_EQ(summary["rules"][0]["loss_rate_low"], bounds.first);
  EXPECT_EQ(summary["rules"][0]["loss_rate_high"], bounds.second);
  summary["rules"][0]["loss_rate_low"] = summary["rules"][0]["loss_rate_high"] = 0;
  EXPECT_EQ(summary.dump(1), expected.dump(1));
}

TEST(SummaryJson, NamesTheCpuOnTheXdpPath) {
  const ordered_json queue = SummaryJson(SmallSnapshot("xdp"))["queues"][0];
  EXPECT_EQ(queue["cpu"], 3);
  EXPECT_FALSE(queue.contains("lcore"));
}

TEST(SummaryJson, IsJsonWhateverBytesANameHas) {
  Snapshot snapshot = SmallSnapshot("xdp");
  snapshot.rules[0].name = snapshot.policy_file = snapshot.ports[0].device = "a\xff\xc3";
  const std::string text = SummaryJson(snapshot).dump();
  EXPECT_EQ(ordered_json::parse(text)["rules"][0]["name"], "a\xef\xbf\xbd\xef\xbf\xbd");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
  }
  return lines;
}

TEST(SummaryTable, ShowsEveryCounterOfEveryQueue) {
  const std::string table = SummaryTable(SummaryJson(SmallSnapshot("dpdk")));
  const std::vector<std::string> lines = Lines(table);
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("port   queue  lcore  rx  tx  pass  lost  denied  malformed  tx_full  no_port"))
      << table;
  EXPECT_TRUE(has("lan        0      3  99  60     4     5       6          7        8        9"))
      << table;
  EXPECT_TRUE(has("wan        0      -   0   0     0     0       0          0        0        0"))
      << table;
  EXPECT_TRUE(has("total                99  60     4     5       6          7        8        9"))
      << table;
  EXPECT_TRUE(has("  lan: from_kernel 12")) << table;
  EXPECT_TRUE(has("  all queues: marked_bytes 128")) << table;
  EXPECT_TRUE(has("  all queues: flows_added 11")) << table;
  EXPECT_TRUE(has(
      "rule                   matched  lost  to send  to pass  denied  loss   95 % low  95 % high"))
      << table;
  EXPECT_TRUE(
      has("voix \"é\" 日本 100%?         1000    10      900       60      30   1 %  0.54408 %   "
          "1.8309 %"))
      << table;
}

TEST(SummaryTable, TheReplacedRulesHaveALineSoThatTheSumsAreEqual) {
  Snapshot snapshot = SmallSnapshot("dpdk");
  const std::string table = SummaryTable(SummaryJson(snapshot));
  EXPECT_NE(table.find("\n(replaced by reloads)       30    20        7        2       1     -     "
                       "     -          -\n"),
            std::string::npos)
      << table;
  snapshot.reloads.retired = {};
  EXPECT_EQ(SummaryTable(SummaryJson(snapshot)).find("replaced"), std::string::npos);
}

TEST(SummaryTable, SaysWhatIsWrongNowAndWhatWas) {
  const std::string table = SummaryTable(SummaryJson(SmallSnapshot("dpdk")));
  EXPECT_NE(table.find("\n! port lan: link_down for 0.3 s (2 times)\n"), std::string::npos)
      << table;
  EXPECT_NE(table.find("\n  lcore 3: stalled is over (1 time, 2.0 s)\n"), std::string::npos)
      << table;
}

TEST(SummaryTable, FitsATerminalWhateverTheCountersAndNames) {
  const ordered_json summary = SummaryJson(BigSnapshot("xdp", 1000, 10000, 200));
  for (const size_t width : {80, 90, 100}) {
    const std::string table = SummaryTable(summary, width);
    for (const std::string& line : Lines(table)) EXPECT_LE(TextWidth(line), width) << line;
    EXPECT_LE(Lines(table).size(), 120u);
    EXPECT_NE(table.find("the busiest 40 of 10000 rules"), std::string::npos);
  }
}

TEST(SummaryTable, IsExactAsLongAsThereIsRoom) {
  Snapshot snapshot = SmallSnapshot("dpdk");
  snapshot.queues[0].counters.rx.packets = 1234567;
  const ordered_json summary = SummaryJson(snapshot);
  EXPECT_NE(SummaryTable(summary, 80).find("1234567"), std::string::npos);
  EXPECT_EQ(SummaryTable(summary, 60).find("1234567"), std::string::npos);
  EXPECT_NE(SummaryTable(summary, 60).find("1.235M"), std::string::npos);
}

TEST(RateTable, IsTheDifferenceByTheTime) {
  Snapshot before = SmallSnapshot("dpdk"), now = before;
  now.duration_s += 2;
  now.queues[0].counters.rx.packets += 3'000'000;
  now.queues[0].counters.rx.bytes += 192'000'000;
  now.queues[0].counters.verdict[TP_LOST].packets += 20;
  const std::string table = RateTable(SummaryJson(before), SummaryJson(now));
  EXPECT_EQ(Lines(table)[2],
            "lan        0  768.0M  1.500M   0     0    10       0          0        0        0");
}

TEST(RateTable, IsEmptyWhereNoTimePassed) {
  const ordered_json summary = SummaryJson(SmallSnapshot("dpdk"));
  EXPECT_EQ(RateTable(summary, summary), "");
}

TEST(TextTable, ShortNumbersHaveFourDigits) {
  EXPECT_EQ(ShortNumber(9999), "9999");
  EXPECT_EQ(ShortNumber(10000), "10.00k");
  EXPECT_EQ(ShortNumber(999949), "999.9k");
  EXPECT_EQ(ShortNumber(999999), "1.000M");
  EXPECT_EQ(ShortNumber(~uint64_t{0}), "18.45E");
}

TEST(Summary, NamesTheEngineOfTheSocketPath) {
  Snapshot snapshot = SmallSnapshot("socket");
  EXPECT_FALSE(SummaryJson(snapshot).contains("engine"));
  snapshot.engine = "packet_mmap";
  EXPECT_EQ(SummaryJson(snapshot)["engine"], "packet_mmap");
  EXPECT_TRUE(SummaryJson(snapshot)["queues"][0].contains("cpu"));
  EXPECT_EQ(AnswerCommand(snapshot, "/twinpath/info", "")["engine"], "packet_mmap");
}

}  // namespace
}  // namespace twinpath
