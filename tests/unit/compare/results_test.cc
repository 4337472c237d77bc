// SPDX-License-Identifier: BSD-3-Clause
// Results: there and back, summaries, differences, tables, CSV, and the page.

#include "src/compare/result/results.h"

#include <gtest/gtest.h>

#include "src/compare/plan/schedule.h"
#include "src/compare/report/page.h"
#include "src/compare/report/plot.h"
#include "src/compare/result/summary.h"
#include "src/compare/result/text.h"

namespace twinpath {
namespace {

Trial SearchTrial(const CaseKey& key, uint32_t repetition, uint64_t sent, uint64_t received) {
  Trial t;
  t.key = key;
  t.repetition = repetition;
  t.purpose = "search";
  t.seconds = 1;
  t.counts = CountsOf({.sent = sent, .lan_in = sent, .received = received});
  t.matched = received;
  t.lost = received / 100;
  t.lost_asked = static_cast<double>(received) / 100;
  t.cpu.softirq = 0.5;
  return t;
}

Results Example(double rate = 1e6, uint32_t repetitions = 5) {
  Results r;
  r.version = "1";
  r.started = "2026-01-31T12:00:00Z";
  r.duration = 12;
  r.machine = {{"kernel", "Linux"}};
  r.policy = {"p<1>.json", "ab", "{\"name\": \"</script>\"}"};
  r.settings = {{"flows", 64}};
  r.notes = {"a note"};
  r.sameness = {100, 0, {"xdp", "dpdk"}, "twinpath parity", ""};
  r.engines = {{"xdp-native", "XDP", false, "", "", {"twinpath-xdp"}},
               {"bridge", "the kernel's", true, "", "", {"ip link"}},
               {"pf_ring", "PF_RING", false, "no PF_RING", "its libpcap", {}}};
  for (uint32_t i = 0; i < repetitions; i++) {
    for (const char* engine : {"bridge", "xdp-native"}) {
      const CaseKey key = {engine, 64, ""};
      const auto sent = static_cast<uint64_t>(rate) + i;
      r.trials.push_back(SearchTrial(key, i, 2 * sent, sent));
      r.trials.push_back(SearchTrial(key, i, sent, sent));
      r.throughputs.push_back({key, i, static_cast<double>(sent), false});
      Trial load = SearchTrial(key, i, sent / 2, sent / 2);
      load.purpose = "load";
      load.load = 0.5;
      load.latency = LatencyResult{1000, 2000, 3000, 40000};
      r.trials.push_back(load);
    }
  }
  return r;
}

TEST(ResultsTest, JsonKeepsEverything) {
  const nlohmann::ordered_json json = ResultsJson(Example());
  const auto back = ParseResults(json.dump(), "r.json");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(ResultsJson(*back), json);
}

TEST(ResultsTest, AnotherFileIsRefusedByName) {
  for (const char* text : {"", "{}", "[1]", R"({"program": "twinpath compare", "format": 1})"}) {
    const auto results = ParseResults(text, "r.json");
    ASSERT_FALSE(results.ok()) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(results.status()));
    EXPECT_NE(results.status().message().find("r.json is not a result of twinpath compare"),
              absl::string_view::npos);
  }
}

TEST(SummaryTest, RepetitionsBecomeMediansInTheOrderOfTheEngines) {
  const std::vector<CaseRow> rows = Summarize(Example());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].key.engine, "xdp-native");
  EXPECT_EQ(rows[0].throughput.median, 1000002);
  EXPECT_EQ(rows[0].throughput.low, 1000000);
  EXPECT_EQ(rows[0].throughput.high, 1000004);
  // At the throughput, not in the overloaded trial.
  EXPECT_DOUBLE_EQ(rows[0].cpu.median, 0.5e6 / 1000002);
  ASSERT_EQ(rows[0].loads.size(), 1u);
  EXPECT_EQ(rows[0].loads[0].p999.median, 3000);
  EXPECT_EQ(rows[0].trials, 15u);
  EXPECT_EQ(rows[0].unconserved, 0u);
}

TEST(DifferencesTest, TheSameRunTwiceDoesNotDiffer) {
  for (const Difference& d : CompareResults(Example(), Example())) {
    EXPECT_FALSE(d.beyond_noise) << d.key.engine << d.what;
    EXPECT_FALSE(d.too_few);
  }
}

TEST(DifferencesTest, ASlowerRunIsFound) {
  const std::vector<Difference> differences = CompareResults(Example(1e6), Example(9e5));
  ASSERT_EQ(differences.size(), 4u);
  for (const Difference& d : differences) EXPECT_TRUE(d.beyond_noise) << d.what;
  EXPECT_NEAR(differences[0].change, -0.1, 1e-4);
}

TEST(DifferencesTest, ThreeRepetitionsAreTooFew) {
  for (const Difference& d : CompareResults(Example(1e6, 3), Example(5e5, 3))) {
    EXPECT_FALSE(d.beyond_noise);
    EXPECT_TRUE(d.too_few);
  }
}

TEST(TextTest, NumbersHaveThreeDigits) {
  EXPECT_EQ(RateText(3.214e6), "3.21 Mpps");
  EXPECT_EQ(RateText(123456), "123 kpps");
  EXPECT_EQ(RateText(950), "950 pps");
  EXPECT_EQ(RateText(0), "0 pps");
  EXPECT_EQ(TimeText(12345), "12.3 us");
  EXPECT_EQ(ShareText(0.01), "1 %");
  EXPECT_EQ(LossText("0.025"), "2.5 %");
  EXPECT_EQ(LossText("10%"), "10 %");
  EXPECT_EQ(LossText(""), "policy's own");
}

TEST(TextTest, TheTableNamesWhatDidNotRun) {
  const std::string text = ResultsText(Example(), 120);
  EXPECT_NE(text.find("1.00 Mpps"), std::string::npos) << text;
  EXPECT_NE(text.find("pf_ring: no PF_RING (needs: its libpcap)"), std::string::npos) << text;
}

TEST(TextTest, CsvHasALineForEachTrial) {
  const std::string csv = ResultsCsv(Example());
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 31);
  EXPECT_EQ(csv.rfind("engine,size,loss,", 0), 0u);
  EXPECT_NE(csv.find("latency_p999_ns"), std::string::npos);
}

TEST(ScheduleTest, RepetitionsAreInterleavedAndBeginWithAnotherEngine) {
  CompareSettings settings;
  settings.repetitions = 2;
  Results empty = Example(1e6, 0);
  const std::vector<Step> steps = MakeSchedule(settings, empty);
  ASSERT_EQ(steps.size(), 4u);  // pf_ring does not run
  EXPECT_EQ(steps[0].engine, "xdp-native");
  EXPECT_EQ(steps[1].engine, "bridge");
  EXPECT_EQ(steps[2].engine, "bridge");
  EXPECT_EQ(steps[3].engine, "xdp-native");
  EXPECT_EQ(steps[3].sizes, (std::vector<uint32_t>{64, 1514}));
}

TEST(ScheduleTest, ARunGoesOnWithWhatIsMissing) {
  CompareSettings settings;
  settings.repetitions = 6;
  settings.sizes = {64};
  const std::vector<Step> steps = MakeSchedule(settings, Example());
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].repetition, 5u);
}

TEST(ScheduleTest, ProgressSaysWhatIsLeft) {
  EXPECT_EQ(ProgressText("dpdk", 30, 10, 40, 100),
            "10 of 40 [#####...............] 1:30 left, dpdk");
  EXPECT_EQ(ProgressText("dpdk", 0, 0, 40, 100), "0 of 40 [....................] dpdk");
}

TEST(PlotTest, TicksAreRoundAndCoverTheValues) {
  EXPECT_EQ(LinearTicks(7.3), (std::vector<double>{0, 2, 4, 6, 8}));
  EXPECT_EQ(LinearTicks(100), (std::vector<double>{0, 25, 50, 75, 100}));
  EXPECT_EQ(LinearTicks(0), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(LogTicks(1500, 90000), (std::vector<double>{1000, 10000, 100000}));
}

TEST(PageTest, ThePageNeedsNothingElseAndHoldsItsData) {
  const Results results = Example();
  const std::string page = ReportPage(results, CompareResults(results, results), "old.json");
  for (const char* part : {"id=\"throughput\"", "id=\"latency\"", "id=\"cpu\"", "id=\"loss\"",
                           "id=\"drops\"", "id=\"against\"", "id=\"missing\"", "id=\"machine\"",
                           "id=\"policy\"", "id=\"commands\"", "p&lt;1&gt;.json"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  for (const char* part : {"src=", "href=", "url(", "@import"})
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  const std::string open = "<script type=\"application/json\" id=\"results\">";
  const size_t from = page.find(open) + open.size();
  const std::string data = page.substr(from, page.find("</script>", from) - from);
  const auto back = ParseResults(data, "page");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(ResultsJson(*back), ResultsJson(results));
}

}  // namespace
}  // namespace twinpath
