// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/plan/schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/telemetry/table/text_table.h"

namespace twinpath {
namespace {

constexpr size_t kBar = 20;

bool Done(const Results& results, const CaseKey& key, uint32_t repetition) {
  return std::any_of(
      results.throughputs.begin(), results.throughputs.end(),
      [&](const Throughput& t) { return t.key == key && t.repetition == repetition; });
}

}  // namespace

std::vector<Step> MakeSchedule(const CompareSettings& settings, const Results& results) {
  std::vector<std::string> engines;
  for (const EngineRow& row : results.engines)
    if (row.why.empty()) engines.push_back(row.name);
  std::vector<Step> steps;
  for (uint32_t repetition = 0; repetition < settings.repetitions; repetition++) {
    for (const std::string& loss : settings.losses) {
      for (size_t i = 0; i < engines.size(); i++) {
        Step step = {engines[(i + repetition) % engines.size()], loss, repetition, {}};
        for (uint32_t size : settings.sizes)
          if (!Done(results, {step.engine, size, loss}, repetition)) step.sizes.push_back(size);
        if (!step.sizes.empty()) steps.push_back(std::move(step));
      }
    }
  }
  return steps;
}

double SecondsLeft(double elapsed, size_t done, size_t all) {
  if (done == 0 || done >= all) return 0;
  return elapsed / static_cast<double>(done) * static_cast<double>(all - done);
}

std::string ProgressText(const std::string& what, double elapsed, size_t done, size_t all,
                         size_t width) {
  const size_t filled = all ? kBar * done / all : kBar;
  const double left = SecondsLeft(elapsed, done, all);
  std::string text = absl::StrCat(done, " of ", all, " [", std::string(filled, '#'),
                                  std::string(kBar - filled, '.'), "] ");
  if (left > 0)
    absl::StrAppendFormat(&text, "%d:%02d left, ", static_cast<int>(left) / 60,
                          static_cast<int>(left) % 60);
  return FitText(text + what, width);
}

}  // namespace twinpath
