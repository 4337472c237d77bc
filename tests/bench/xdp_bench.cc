// SPDX-License-Identifier: BSD-3-Clause
// Measures the cost of the XDP program for each packet, by BPF_PROG_TEST_RUN: by model, by scope,
// and after a reload. Compares it with a program that only drops, and one that reports each packet
// by perf events. A round runs all contenders in turn, many times, each time with a slice of the
// packets, so that a drifting clock affects all of them. Each figure is the median of the rounds; a
// difference or ratio is the median of the differences or ratios of the rounds. All figures include
// the harness, which costs some 20 ns. With many flows, both sides also include the program that
// makes the next flow.

#include <bpf/bpf.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tests/bench/xdp_contest.h"

namespace twinpath {
namespace {

constexpr uint32_t kSlices = 16;  // of a round; each is one test run, which takes a while to start

// Uses the thread's CPU time, which has fractions of a nanosecond. The test run reports whole
// nanoseconds.
absl::StatusOr<double> Measure(const Contender& contender, const Frame& frame, uint32_t repeats) {
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeats);
  timespec start = {}, end = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  const int error = bpf_prog_test_run_opts(contender.program, &options);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  if (error)
    return absl::InternalError(
        absl::StrCat("BPF_PROG_TEST_RUN of ", contender.name, ": ", std::strerror(-error)));
  const double ns = 1e9 * static_cast<double>(end.tv_sec - start.tv_sec) +
                    static_cast<double>(end.tv_nsec - start.tv_nsec);
  return ns / repeats;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// The difference (in nanoseconds) or the ratio of two contenders' costs of a packet: the median of
// the rounds.
double Above(const Contender& what, const Contender& beside) {
  std::vector<double> more = what.ns;
  for (size_t i = 0; i < more.size(); i++) more[i] -= beside.ns[i];
  return Median(std::move(more));
}
double Times(const Contender& what, const Contender& beside) {
  std::vector<double> times = what.ns;
  for (size_t i = 0; i < times.size(); i++) times[i] /= beside.ns[i];
  return Median(std::move(times));
}

nlohmann::ordered_json Result(const Contest& contest, const Row& row) {
  const Contender& what = contest.Of(row.what);
  const Contender& beside = contest.Of(row.beside);
  const Contender& bare = contest.contenders.front();
  const bool at_least = row.is == Row::Is::kTimesAboveBare;
  double ratio = 0;
  const char* ratio_is = "";
  switch (row.is) {
    case Row::Is::kMore:
      ratio = Above(what, beside);
      ratio_is = "ns more";
      break;
    case Row::Is::kTimes:
      ratio = Times(what, beside);
      ratio_is = "times the ns";
      break;
    case Row::Is::kTimesAboveBare:
      ratio = Above(what, bare) / Above(beside, bare);
      ratio_is = "times the cost above bare XDP_DROP";
      break;
  }
  nlohmann::ordered_json result = {{"name", what.name},
                                   {"value", Median(what.ns)},
                                   {"unit", "ns"},
                                   {"peer", beside.name},
                                   {"peer_value", Median(beside.ns)},
                                   {"ratio", ratio},
                                   {"ratio_is", ratio_is},
                                   {"target_is", nullptr},
                                   {"target", nullptr},
                                   {"met", nullptr},
                                   {"samples", what.ns},
                                   {"peer_samples", beside.ns}};
  if (row.target) {
    result["target_is"] = at_least ? "at least" : "at most";
    result["target"] = *row.target;
    result["met"] = at_least ? ratio >= *row.target : ratio <= *row.target;
  }
  return result;
}

nlohmann::ordered_json Results(const Contest& contest) {
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const Row& row : contest.rows) results.push_back(Result(contest, row));
  return results;
}

void Print(const nlohmann::ordered_json& report) {
  absl::PrintF("%d rounds of %d packets, median ns a packet\n\n", report["rounds"].get<int>(),
               report["repeats"].get<int>());
  for (const auto& result : report["results"]) {
    absl::PrintF("%-42s %7.2f   beside %-42s %7.2f   %7.2f %s", result["name"].get<std::string>(),
                 result["value"].get<double>(), result["peer"].get<std::string>(),
                 result["peer_value"].get<double>(), result["ratio"].get<double>(),
                 result["ratio_is"].get<std::string>());
    if (!result["target"].is_null())
      absl::PrintF(" (target: %s %.2f) %s", result["target_is"].get<std::string>(),
                   result["target"].get<double>(), result["met"].get<bool>() ? "met" : "MISSED");
    absl::PrintF("\n");
  }
}

absl::Status RunRound(Contest& contest, uint32_t repeats) {
  for (Contender& contender : contest.contenders) contender.ns.push_back(0);
  for (uint32_t slice = 0; slice < kSlices; slice++) {
    for (Contender& contender : contest.contenders) {
      const Frame& frame = contender.frames[slice % contender.frames.size()];
      if (contender.warm_up) {
        auto ignored = Measure(contender, frame, contender.warm_up);
        if (!ignored.ok()) return ignored.status();
      }
      auto ns = Measure(contender, frame, repeats / kSlices);
      if (!ns.ok()) return ns.status();
      contender.ns.back() += *ns / kSlices;
    }
  }
  return absl::OkStatus();
}

// Stays on one CPU.
void StayOnThisCpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &cpus);
  sched_setaffinity(0, sizeof(cpus), &cpus);
}

int Main(int argc, char** argv) {
  uint32_t rounds = 7, repeats = 4000000;
  bool json = false;
  std::string only;
  CLI::App app("Measures the XDP program by BPF_PROG_TEST_RUN.");
  app.add_option("--rounds", rounds, "Rounds; figures are their median")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--repeats", repeats, "Packets of each contender in a round")
      ->check(CLI::Range(1000, 1000000000))
      ->capture_default_str();
  app.add_option("--only", only, "Measure only rows whose name contains this");
  app.add_flag("--json", json, "Print JSON");
  CLI11_PARSE(app, argc, argv);
  StayOnThisCpu();
  auto contest = SetUpContest(only);
  absl::Status status = contest.status();
  for (uint32_t round = 0; status.ok() && round < rounds; round++)
    status = RunRound(*contest, repeats);
  if (!status.ok()) {
    std::fprintf(stderr, "xdp_bench: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  const nlohmann::ordered_json report = {
      {"path", "xdp"}, {"rounds", rounds}, {"repeats", repeats}, {"results", Results(*contest)}};
  if (json)
    std::printf("%s\n", report.dump(2).c_str());
  else
    Print(report);
  return 0;
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
