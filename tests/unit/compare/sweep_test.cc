// SPDX-License-Identifier: BSD-3-Clause
// A sweep: its matrix, its policies, what it collects, its results, and its runs of real commands.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/compare/report/plot.h"
#include "src/compare/sweep/page.h"
#include "src/compare/sweep/run.h"
#include "src/compare/sweep/text.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr char kPolicy[] =
    R"({"version":1,"rules":[{"name":"a","loss":{"model":"random","rate":"1%"}}]})";
constexpr char kRate[] = "/rules/0/loss/rate";

SweepParameter Parameter(const std::string& text) {
  const auto parameter = ParseSweepParameter(text);
  EXPECT_TRUE(parameter.ok()) << parameter.status();
  return parameter.ok() ? *parameter : SweepParameter();
}

std::string ErrorOf(const std::string& text) {
  return std::string(ParseSweepParameter(text).status().message());
}

std::string PolicyError(const std::string& set) {
  return std::string(PolicyOf(kPolicy, {Parameter(set)}, {0}).status().message());
}

SweepResults Sweep(const std::vector<std::string>& sets, std::vector<std::string> command) {
  SweepResults results;
  results.policy = {"p.json", "ab", kPolicy};
  for (const std::string& set : sets) results.parameters.push_back(Parameter(set));
  results.command = std::move(command);
  return results;
}

SweepResults WithRuns(uint32_t repetitions) {
  SweepResults results = Sweep({std::string(kRate) + "=0%,5%", "/seed=1,2"}, {"true"});
  results.results = {{"loss", "/loss"}, {"how", "/how"}};
  results.repetitions = repetitions;
  for (const SweepStep& step : SweepSchedule(results))
    results.runs.push_back(
        {step.combination,
         step.repetition,
         0,
         0.5,
         {10.0 * static_cast<double>(step.combination[0]) + step.repetition, "</script>"},
         ""});
  return results;
}

TEST(SweepMatrixTest, ValuesAreJsonOrWords) {
  const SweepParameter p = Parameter(R"(/a~1b/0=0%,1,true,"2",{"x":[1,2],"y":",}"},null,1Mbit)");
  EXPECT_EQ(p.pointer, "/a~1b/0");
  EXPECT_EQ(p.values, (std::vector<ordered_json>{
                          "0%", 1, true, "2", {{"x", {1, 2}}, {"y", ",}"}}, nullptr, "1Mbit"}));
  EXPECT_EQ(p.texts[4], R"({"x":[1,2],"y":",}"})");
}

TEST(SweepMatrixTest, MistakesAreNamed) {
  EXPECT_EQ(ErrorOf("rate=1"),
            "--set: found \"rate=1\", allowed POINTER=VALUE,..., where POINTER is a JSON pointer "
            "such as /rules/0/loss/rate");
  EXPECT_EQ(ErrorOf("/rate=1,,2"),
            "--set: /rate: found \"\", allowed a word, a number or other JSON");
  EXPECT_EQ(ErrorOf("/rate={1"),
            "--set: /rate: found \"{1\", allowed a word, a number or other JSON");
  EXPECT_EQ(ErrorOf("/a~2=1"),
            "--set: found \"/a~2\", allowed ~ only in ~0 (for ~) and ~1 (for /)");
  EXPECT_EQ(ErrorOf("/a=1,1"),
            "--set: /a: found \"1\" twice, allowed each value once; --repeat measures all of them "
            "again");
  EXPECT_EQ(CheckParameters({Parameter("/a=1"), Parameter("/a/b=1")}).message(),
            "--set: found /a and /a/b, allowed places of which none is inside another, each once");
  EXPECT_TRUE(CheckParameters({Parameter("/a=1"), Parameter("/ab=1")}).ok());
}

TEST(SweepMatrixTest, TheLastParameterChangesFastest) {
  EXPECT_EQ(Combinations({Parameter("/a=1,2"), Parameter("/b=x,y,z")}),
            (std::vector<Combination>{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}}));
}

TEST(SweepMatrixTest, APolicyHasTheValuesOfItsCombination) {
  const auto policy =
      PolicyOf(kPolicy, {Parameter(std::string(kRate) + "=0%,5%"), Parameter("/seed=7")}, {1, 0});
  ASSERT_TRUE(policy.ok()) << policy.status();
  const ordered_json json = ordered_json::parse(*policy);
  EXPECT_EQ(json.at("rules").at(0).at("loss").at("rate"), "5%");
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("rules").at(0).at("name"), "a");
}

TEST(SweepMatrixTest, APointerThatLeadsNowhereIsNamedWithWhatIsThere) {
  EXPECT_EQ(PolicyError("/rules/3/loss/rate=1%"),
            "--set /rules/3/loss/rate=1%: found item \"3\" of /rules, allowed 0 to 0");
  EXPECT_EQ(PolicyError("/rules/00/loss=1%"),
            "--set /rules/00/loss=1%: found item \"00\" of /rules, allowed 0 to 0");
  EXPECT_EQ(PolicyError("/rules/0/los/rate=1%"),
            "--set /rules/0/los/rate=1%: found member \"los\" of /rules/0, allowed one that the "
            "policy has: name, loss");
  EXPECT_EQ(PolicyError("/rules/0/name/x=1%"),
            "--set /rules/0/name/x=1%: found \"a\" at /rules/0/name, which has no members, allowed "
            "a pointer into an object or an array");
}

TEST(SweepMatrixTest, TheCheckOfAPolicyNamesTheValues) {
  const SweepResults results = Sweep({std::string(kRate) + "=0%,120%"}, {"true"});
  size_t checked = 0;
  const absl::Status status = CheckSweep(results, [&checked](const std::string& text) {
    checked++;
    return text.find("120%") == std::string::npos ? absl::OkStatus()
                                                  : absl::InvalidArgumentError("too much");
  });
  EXPECT_EQ(status.message(), "--set /rules/0/loss/rate=120%: too much");
  EXPECT_EQ(checked, 2u);
}

TEST(SweepMatrixTest, ACommandGetsVariables) {
  const auto variables = CombinationVariables(
      {Parameter(std::string(kRate) + "=0%,\"5,5\""), Parameter("/seed=7")}, {1, 0});
  EXPECT_EQ(variables, (std::vector<std::pair<std::string, std::string>>{
                           {"TWINPATH_SET_RULES_0_LOSS_RATE", "5,5"}, {"TWINPATH_SET_SEED", "7"}}));
}

TEST(SweepMatrixTest, AnAxisHasNumbersOfOneUnit) {
  const NumericAxis rates = NumbersOf(Parameter("/a=0%,1%,2.5%"));
  EXPECT_EQ(rates.values, (std::vector<double>{0, 1, 2.5}));
  EXPECT_EQ(rates.unit, "%");
  EXPECT_EQ(NumbersOf(Parameter("/a=1,10")).values, (std::vector<double>{1, 10}));
  EXPECT_TRUE(NumbersOf(Parameter("/a=1ms,1s")).values.empty());
  EXPECT_TRUE(NumbersOf(Parameter("/a=pass,drop")).values.empty());
  EXPECT_TRUE(NumbersOf(Parameter("/a=10.0.0.1,10.0.0.2")).values.empty());
}

TEST(SweepCollectTest, ResultsComeFromTheDocumentOrItsLastLine) {
  const std::vector<SweepResult> results = {{"loss", "/end/lost"}, {"word", "/w~1"}};
  for (const char* output : {"{\"end\": {\"lost\": 1.5},\n \"w/\": \"x\"}\n",
                             "begin\n{\"end\": {\"lost\": 1.5}, \"w/\": \"x\"}\n\n"}) {
    const Collected collected = CollectResults(output, results);
    EXPECT_EQ(collected.problem, "");
    EXPECT_EQ(collected.values, (std::vector<ordered_json>{1.5, "x"}));
  }
}

TEST(SweepCollectTest, WhatIsMissingIsNamed) {
  const std::vector<SweepResult> results = {{"a", "/a"}, {"b", "/b/0"}, {"c", "/c"}};
  const Collected collected = CollectResults(R"({"a": 1, "b": [], "c": {}})", results);
  EXPECT_EQ(collected.values, (std::vector<ordered_json>{1, nullptr, nullptr}));
  EXPECT_EQ(collected.problem,
            "b: the output has nothing at /b/0; c: the output has object at /c, allowed a number "
            "or a word");
  EXPECT_EQ(CollectResults("PING 10.0.0.1", results).problem, "the command's output is not JSON");
  EXPECT_EQ(CollectResults(" \n", results).problem, "the command printed nothing");
  EXPECT_EQ(ParseSweepResult("/end").status().message(),
            "--get: found \"/end\", allowed NAME=POINTER, where NAME has 1 to 40 characters and "
            "POINTER is a JSON pointer such as /end/sum/lost_percent");
  EXPECT_EQ(CheckResults({{"a", "/a"}, {"a", "/b"}}).message(),
            "--get: found the name \"a\" twice, allowed each name once");
}

TEST(SweepResultsTest, JsonKeepsEverything) {
  SweepResults results = WithRuns(3);
  results.runs[1].exit_status.reset();
  results.runs[1].problem = "the command did not end";
  results.machine = {{"kernel", "Linux"}};
  const ordered_json json = SweepJson(results);
  const auto back = ParseSweep(json.dump(), "r.json");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(SweepJson(*back), json);
  EXPECT_TRUE(SameSweep(*back, results));
  results.parameters[0].texts[0] = "0.0%";
  EXPECT_FALSE(SameSweep(*back, results));
  const auto other = ParseSweep("{}", "r.json");
  EXPECT_EQ(other.status().message(),
            "r.json is not a result of twinpath sweep: it has no \"program\": \"twinpath sweep\"");
}

TEST(SweepResultsTest, RepetitionsAreInterleavedAndBeginWithAnotherCombination) {
  SweepResults results = WithRuns(2);
  ASSERT_EQ(results.runs.size(), 8u);
  EXPECT_EQ(results.runs[0].combination, (Combination{0, 0}));
  EXPECT_EQ(results.runs[4].combination, (Combination{0, 1}));
  EXPECT_EQ(results.runs[7].combination, (Combination{0, 0}));
  results.runs.erase(results.runs.begin() + 2);
  const std::vector<SweepStep> left = SweepSchedule(results);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].combination, (Combination{1, 0}));
  EXPECT_EQ(left[0].repetition, 0u);
}

TEST(SweepResultsTest, FailedRunsAreNotInTheMedian) {
  SweepResults results = WithRuns(3);
  for (SweepRun& run : results.runs)
    if (run.combination == Combination{1, 1} && run.repetition == 0) {
      run.problem = "exit status 1";
      run.values = {nullptr, nullptr};
    }
  const std::vector<SweepRow> rows = SummarizeSweep(results);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3].runs, 3u);
  EXPECT_EQ(rows[3].failed, 1u);
  EXPECT_EQ(rows[3].problem, "exit status 1");
  EXPECT_EQ(rows[3].results[0].median, 11.5);
  EXPECT_EQ(rows[3].results[0].count, 2u);
  EXPECT_EQ(rows[0].results[0].median, 1);
  EXPECT_EQ(rows[0].words[1], "</script>");
}

TEST(SweepTextTest, TheTableHasALineForEachCombination) {
  EXPECT_EQ(
      SweepText(WithRuns(3), 200),
      "/rules/0/loss/rate  /seed           loss        how           seconds  runs  failed\n"
      "0%                  1         1 (0 to 2)  </script>  0.5 (0.5 to 0.5)     3       0\n"
      "0%                  2         1 (0 to 2)  </script>  0.5 (0.5 to 0.5)     3       0\n"
      "5%                  1      11 (10 to 12)  </script>  0.5 (0.5 to 0.5)     3       0\n"
      "5%                  2      11 (10 to 12)  </script>  0.5 (0.5 to 0.5)     3       0\n");
}

TEST(SweepTextTest, CsvHasALineForEachRun) {
  SweepResults results = WithRuns(1);
  results.runs.resize(1);
  EXPECT_EQ(SweepCsv(results),
            "\"/rules/0/loss/rate\",\"/seed\",repetition,exit_status,duration_s,\"loss\",\"how\","
            "problem\r\n\"0%\",\"1\",0,0,0.500000,0.0,\"</script>\",\"\"\r\n");
}

TEST(SweepPageTest, TwoParametersAreAHeatMap) {
  const std::string page = SweepPage(WithRuns(1));
  EXPECT_NE(page.find("<rect class=\"heat s0\""), std::string::npos);
  EXPECT_NE(page.find("/rules/0/loss/rate=5%, /seed=2: loss 10"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(page.find("</script>\""), std::string::npos);
}

TEST(SweepPageTest, OneParameterIsALineOrDots) {
  SweepResults results = Sweep({std::string(kRate) + "=0%,5%"}, {"true"});
  results.results = {{"loss", "/loss"}};
  results.runs = {{{0}, 0, 0, 1, {1}, ""}, {{1}, 0, 0, 1, {2}, ""}, {{1}, 1, 0, 1, {4}, ""}};
  std::string page = SweepPage(results);
  EXPECT_NE(page.find("<polyline class=\"curve s0\""), std::string::npos);
  EXPECT_NE(page.find("class=\"whisker\""), std::string::npos);
  EXPECT_NE(page.find("loss: 3 at 5%"), std::string::npos);
  results.parameters = {Parameter("/default/forward=pass,drop")};
  page = SweepPage(results);
  EXPECT_EQ(page.find("<polyline"), std::string::npos);
  EXPECT_NE(page.find("/default/forward=drop: loss 3 (2 to 4)"), std::string::npos);
}

TEST(SweepPageTest, AFailedCellHasNoColour) {
  HeatMap map = {"t",        "x",   "y",
                 {"1", "2"}, {"a"}, {{{5, "5", "five"}, {0, "failed", "why", false}}}};
  const std::string svg = RenderPlot(map);
  EXPECT_NE(svg.find("<title>why</title><rect class=\"unknown\""), std::string::npos);
  EXPECT_NE(svg.find("<title>five</title><rect class=\"heat s0\""), std::string::npos);
}

class SweepRunTest : public testing::Test {
 protected:
  absl::Status Run(SweepResults* results, SweepTimes times = {}) {
    return RunSweep(times,
                    {.apply =
                         [this](const std::string& text) {
                           applied.push_back(text);
                           return apply_status;
                         },
                     .stopped = [this] { return stopped; },
                     .on_step = [](const std::string&, size_t, size_t) {},
                     .on_run = [this](const SweepRun&) { stopped = stop_after_run; },
                     .variables = {{"TWINPATH_POLICY", "/p"}}},
                    results);
  }
  std::vector<std::string> applied;
  absl::Status apply_status;
  bool stopped = false, stop_after_run = false;
};

TEST_F(SweepRunTest, TheCommandSeesItsCombination) {
  SweepResults results = Sweep({std::string(kRate) + "=0%,5%"},
                               {"sh", "-c",
                                "cat; echo {\\\"v\\\": \\\"$TWINPATH_SET_RULES_0_LOSS_RATE "
                                "$TWINPATH_POLICY $TWINPATH_REPETITION\\\"}"});
  results.results = {{"v", "/v"}};
  results.repetitions = 2;
  ASSERT_TRUE(Run(&results).ok());
  EXPECT_TRUE(results.complete);
  ASSERT_EQ(results.runs.size(), 4u);
  EXPECT_EQ(results.runs[0].values[0], "0% /p 1");
  EXPECT_EQ(results.runs[1].values[0], "5% /p 1");
  EXPECT_EQ(results.runs[3].values[0], "0% /p 2");
  for (const SweepRun& run : results.runs) EXPECT_EQ(run.problem, "");
  ASSERT_EQ(applied.size(), 4u);
  EXPECT_NE(applied[1].find("\"5%\""), std::string::npos);
}

TEST_F(SweepRunTest, AFailureIsARowWithTheCommandsWords) {
  SweepResults results =
      Sweep({"/seed=1,2,3"}, {"sh", "-c",
                              "case $TWINPATH_SET_SEED in 1) echo first >&2; echo no route >&2; "
                              "exit 3;; 2) echo '{\"error\": \"refused\"}'; exit 1;; esac"});
  ASSERT_TRUE(Run(&results).ok());
  ASSERT_EQ(results.runs.size(), 3u);
  EXPECT_EQ(results.runs[0].problem, "exit status 3: no route");
  EXPECT_EQ(results.runs[0].exit_status, 3);
  EXPECT_EQ(results.runs[1].problem, "exit status 1: refused");
  EXPECT_EQ(results.runs[2].problem, "");
}

TEST_F(SweepRunTest, ATimeoutEndsTheWholeGroup) {
  SweepResults results = Sweep({"/seed=1"}, {"sh", "-c", "sleep 60 & sleep 60"});
  SweepTimes times;
  times.timeout = milliseconds(100);
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Run(&results, times).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(results.runs.at(0).problem, "the command did not end within 0.1 s (--timeout)");
  EXPECT_FALSE(results.runs[0].exit_status.has_value());
}

TEST_F(SweepRunTest, APolicyThatIsRefusedIsARowAndAnEndedProgramIsTheEnd) {
  SweepResults results = Sweep({"/seed=1,2"}, {"true"});
  apply_status = absl::FailedPreconditionError("too many rules");
  ASSERT_TRUE(Run(&results).ok());
  ASSERT_EQ(results.runs.size(), 2u);
  EXPECT_EQ(results.runs[0].problem, "the policy was not loaded: too many rules");
  apply_status = absl::NotFoundError("nothing runs");
  results.runs.clear();
  EXPECT_EQ(Run(&results).message(), "nothing runs");
  EXPECT_TRUE(results.runs.empty());
}

TEST_F(SweepRunTest, AStopKeepsWhatWasRun) {
  SweepResults results = Sweep({"/seed=1,2,3"}, {"true"});
  stop_after_run = true;
  ASSERT_TRUE(Run(&results).ok());
  EXPECT_EQ(results.runs.size(), 1u);
  EXPECT_FALSE(results.complete);
  EXPECT_EQ(results.notes.at(0),
            "The sweep was interrupted after 1 of 3 runs; --resume goes on with the rest.");
  stopped = stop_after_run = false;
  results.notes.clear();
  ASSERT_TRUE(Run(&results).ok());
  EXPECT_EQ(results.runs.size(), 3u);
  EXPECT_TRUE(results.complete);
}

}  // namespace
}  // namespace twinpath
