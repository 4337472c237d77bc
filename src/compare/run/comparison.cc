// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/run/comparison.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/compare/measure/search.h"
#include "src/compare/result/text.h"

namespace twinpath {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

EngineRow* RowOf(Results* results, const std::string& name) {
  for (EngineRow& row : results->engines)
    if (row.name == name) return &row;
  return nullptr;
}

std::string StepText(const Step& step) {
  return absl::StrCat(step.engine, step.loss.empty() ? "" : ", loss " + LossText(step.loss),
                      ", repetition ", step.repetition + 1);
}

}  // namespace

Comparison::Comparison(const CompareSettings& settings, EngineContext context,
                       std::map<std::string, LossPolicy> policies, BareProgramMaker bare,
                       Bench* bench, Results* results)
    : settings_(settings),
      context_(std::move(context)),
      policies_(std::move(policies)),
      bare_(std::move(bare)),
      bench_(bench),
      results_(results) {}

absl::Status Comparison::FillEngines() {
  for (const std::string& name : settings_.engines)
    if (absl::Status known = CheckEngineName(name); !known.ok()) return known;
  for (const CompareEngine& engine : CompareEngines()) {
    const auto& asked = settings_.engines;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), engine.name) == asked.end())
      continue;
    EngineRow row = {engine.name, engine.title, engine.yardstick, "", "", {}};
    IsMissing(engine, context_, &row.why, &row.needs);
    if (EngineRow* known = RowOf(results_, row.name)) {
      known->why = row.why;
      known->needs = row.needs;
    } else {
      results_->engines.push_back(row);
    }
  }
  return absl::OkStatus();
}

void Comparison::Run(const ComparisonHooks& hooks) {
  const auto start = steady_clock::now();
  const double before = results_->duration;
  const auto elapsed = [&] { return duration<double>(steady_clock::now() - start).count(); };
  const std::vector<Step> steps = MakeSchedule(settings_, *results_);
  size_t done = 0;
  double longest = 0;
  for (const Step& step : steps) {
    if (hooks.stopped()) break;
    EngineRow* row = RowOf(results_, step.engine);
    if (row->why.empty()) {
      if (elapsed() + longest > settings_.budget) break;
      hooks.on_step(StepText(step), done, steps.size());
      const double began = elapsed();
      if (const absl::Status status = RunStep(step, hooks); !status.ok()) {
        row->why = std::string(status.message());
        row->needs = "";
      }
      longest = std::max(longest, elapsed() - began);
    }
    done++;
    results_->duration = before + elapsed();
  }
  results_->complete = done == steps.size();
  if (hooks.stopped()) {
    results_->notes.push_back(absl::StrCat("The run was interrupted after ", done, " of ",
                                           steps.size(),
                                           " steps; --resume goes on with the rest."));
  } else if (!results_->complete) {
    results_->notes.push_back(absl::StrFormat(
        "The time was over (--budget) after %u of %u steps; --resume goes on with the rest.", done,
        steps.size()));
  }
}

absl::Status Comparison::RunStep(const Step& step, const ComparisonHooks& hooks) {
  const CompareEngine& engine = *FindEngine(step.engine);
  EngineContext context = context_;
  const LossPolicy& policy = policies_.at(step.loss);
  context.policy = policy.file;
  context.loss = step.loss;
  // Another name for each start, because the last one's files may still be in the way.
  context.file_prefix = absl::StrCat("compare-", ++starts_);
  bench_->set_loss_asked(policy.asked);
  EngineRow* row = RowOf(results_, step.engine);
  if (row->commands.empty()) {
    for (const Command& command : engine.start(context))
      row->commands.push_back(CommandText(command));
    if (engine.counters == EngineCounters::kNft) row->commands.push_back(NftRules(context));
  }
  auto run = EngineRun::Start(engine, context, bare_);
  if (!run.ok()) return run.status();
  for (uint32_t size : step.sizes) {
    const auto done = RunCase(run->get(), step, size, hooks);
    if (!done.ok()) return done.status();
    if (!*done) break;
    hooks.on_case({step.engine, size, step.loss});
  }
  return absl::OkStatus();
}

absl::StatusOr<Trial> Comparison::RunTrial(EngineRun* engine, const Step& step,
                                           const TrialRequest& request,
                                           const std::function<bool(const Trial&)>& again) {
  auto trial = bench_->Measure(engine, request);
  if (trial.ok() && !trial->noise.empty() && again(*trial)) {
    trial = bench_->Measure(engine, request);
    if (trial.ok()) trial->repeated = true;
  }
  if (!trial.ok()) return trial;
  trial->key = {step.engine, request.size, step.loss};
  trial->repetition = step.repetition;
  return trial;
}

absl::StatusOr<bool> Comparison::RunCase(EngineRun* engine, const Step& step, uint32_t size,
                                         const ComparisonHooks& hooks) {
  if (absl::Status warm = bench_->WarmUp(engine, size); !warm.ok()) return warm;
  // The trials of a case that is interrupted are not kept: it is measured again.
  std::vector<Trial> trials;
  const auto passes = [this](const Trial& t) {
    return t.counts.unintended_loss() <= settings_.tolerate;
  };
  const auto failed = [&passes](const Trial& t) { return !passes(t); };
  const auto always = [](const Trial&) { return true; };
  ThroughputSearch search({.resolution = settings_.resolution});
  while (const std::optional<double> rate = search.Next()) {
    if (hooks.stopped()) return false;
    auto trial =
        RunTrial(engine, step, {.rate = *rate, .seconds = settings_.trial, .size = size}, failed);
    if (!trial.ok()) return trial.status();
    trial->purpose = "search";
    const double handled = static_cast<double>(trial->counts.received + trial->counts.policy);
    search.Add({.rate = trial->sent_rate(),
                .received = trial->seconds > 0 ? handled / trial->seconds : 0,
                .passed = passes(*trial)});
    trials.push_back(*std::move(trial));
  }
  const auto load = [&](double rate, double share, bool latency) -> absl::StatusOr<bool> {
    if (hooks.stopped()) return false;
    auto trial = RunTrial(
        engine, step,
        {.rate = rate, .seconds = settings_.load_trial, .size = size, .latency = latency}, always);
    if (!trial.ok()) return trial.status();
    trial->purpose = latency ? "load" : "rate";
    trial->load = share;
    trials.push_back(*std::move(trial));
    return true;
  };
  for (double share : settings_.loads) {
    if (engine->sink() != EngineSink::kReceiver) break;  // nobody measures their latency
    if (step.repetition >= settings_.load_repetitions || search.throughput() * share < 1) continue;
    const auto done = load(search.throughput() * share, share, true);
    if (!done.ok() || !*done) return done;
  }
  for (double rate : settings_.rates) {
    const auto done = load(rate, 0, false);
    if (!done.ok() || !*done) return done;
  }
  results_->trials.insert(results_->trials.end(), trials.begin(), trials.end());
  results_->throughputs.push_back({{step.engine, size, step.loss},
                                   step.repetition,
                                   search.throughput(),
                                   search.generator_limited()});
  return true;
}

}  // namespace twinpath
