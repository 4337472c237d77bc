// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/result/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace twinpath {
namespace {

constexpr double kBeyond = 0.05, kWorthSaying = 0.01;

// What was measured in each repetition of a case.
struct Samples {
  std::vector<double> throughput, highest, cpu;
  std::map<double, std::array<std::vector<double>, 6>> loads;
};

bool Belongs(const Trial& trial, const CaseKey& key) { return trial.key == key; }

Samples SamplesOf(const Results& results, const CaseKey& key) {
  Samples samples;
  for (const Throughput& row : results.throughputs)
    if (row.key == key) samples.throughput.push_back(row.rate);
  // By repetition: the highest received rate, and the trial with the highest rate that passed.
  std::map<uint32_t, double> highest;
  std::map<uint32_t, const Trial*> best;
  for (const Trial& trial : results.trials) {
    if (!Belongs(trial, key)) continue;
    if (trial.purpose == "search") {
      double& most = highest[trial.repetition];
      most = std::max(most, trial.received_rate());
      const auto row = std::find_if(
          results.throughputs.begin(), results.throughputs.end(), [&](const Throughput& t) {
            return t.key == key && t.repetition == trial.repetition && t.rate > 0;
          });
      // The rate of the search's result is that of one of its trials.
      if (row != results.throughputs.end() &&
          std::abs(row->rate - trial.sent_rate()) < 1e-6 * row->rate)
        best[trial.repetition] = &trial;
    } else if (trial.purpose == "load") {
      auto& load = samples.loads[trial.load];
      load[0].push_back(trial.sent_rate());
      load[1].push_back(trial.cpu_per_million());
      if (trial.latency) {
        load[2].push_back(trial.latency->p50);
        load[3].push_back(trial.latency->p99);
        load[4].push_back(trial.latency->p999);
        load[5].push_back(trial.latency->most);
      }
    }
  }
  for (const auto& [repetition, most] : highest) samples.highest.push_back(most);
  for (const auto& [repetition, trial] : best)
    if (trial->cpu_per_million() > 0) samples.cpu.push_back(trial->cpu_per_million());
  return samples;
}

CaseRow RowOf(const Results& results, const CaseKey& key) {
  CaseRow row;
  row.key = key;
  const Samples samples = SamplesOf(results, key);
  row.throughput = MedianOf(samples.throughput);
  row.highest = MedianOf(samples.highest);
  row.cpu = MedianOf(samples.cpu);
  for (const auto& [load, values] : samples.loads)
    row.loads.push_back({load, MedianOf(values[0]), MedianOf(values[2]), MedianOf(values[3]),
                         MedianOf(values[4]), MedianOf(values[5]), MedianOf(values[1])});
  size_t limited = 0;
  for (const Throughput& t : results.throughputs) limited += t.key == key && t.generator_limited;
  row.generator_limited = 2 * limited > samples.throughput.size();
  for (const Trial& trial : results.trials) {
    if (!Belongs(trial, key)) continue;
    row.trials++;
    row.noisy += !trial.noise.empty();
    row.unconserved += trial.counts.unexplained() != 0;
    row.matched += trial.matched;
    row.lost += trial.lost;
    row.lost_asked += trial.lost_asked;
    row.counts.sent += trial.counts.sent;
    row.counts.received += trial.counts.received;
    row.counts.policy += trial.counts.policy;
    for (size_t i = 0; i < kDropPlaces.size(); i++) row.counts.drops[i] += trial.counts.drops[i];
  }
  return row;
}

Difference DifferenceOf(const CaseKey& key, const std::string& what,
                        const std::vector<double>& before, const std::vector<double>& now) {
  Difference d = {key, what, MedianOf(before), MedianOf(now)};
  d.change = d.before.median != 0 ? d.now.median / d.before.median - 1 : 0;
  d.p = RankSumP(before, now);
  std::vector<double> low(before.size()), high(now.size());
  for (size_t i = 0; i < low.size(); i++) low[i] = static_cast<double>(i);
  for (size_t i = 0; i < high.size(); i++) high[i] = static_cast<double>(low.size() + i);
  d.too_few = RankSumP(low, high) >= kBeyond;
  d.beyond_noise = d.p < kBeyond && std::abs(d.change) > kWorthSaying;
  return d;
}

}  // namespace

std::vector<CaseRow> Summarize(const Results& results) {
  const auto place = [&results](const std::string& engine) {
    const auto found = std::find_if(results.engines.begin(), results.engines.end(),
                                    [&](const EngineRow& row) { return row.name == engine; });
    return found - results.engines.begin();
  };
  std::map<std::tuple<std::ptrdiff_t, uint32_t, std::string, std::string>, CaseKey> keys;
  for (const Trial& trial : results.trials)
    keys[{place(trial.key.engine), trial.key.size, trial.key.loss, trial.key.engine}] = trial.key;
  std::vector<CaseRow> rows;
  for (const auto& [order, key] : keys) rows.push_back(RowOf(results, key));
  return rows;
}

std::vector<Difference> CompareResults(const Results& before, const Results& now) {
  std::vector<Difference> differences;
  for (const CaseRow& row : Summarize(now)) {
    const Samples a = SamplesOf(before, row.key), b = SamplesOf(now, row.key);
    const auto add = [&](const char* what, const std::vector<double>& x,
                         const std::vector<double>& y) {
      if (!x.empty() && !y.empty()) differences.push_back(DifferenceOf(row.key, what, x, y));
    };
    add("throughput", a.throughput, b.throughput);
    add("CPU", a.cpu, b.cpu);
  }
  return differences;
}

}  // namespace twinpath
