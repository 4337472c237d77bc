// SPDX-License-Identifier: BSD-3-Clause
// Everything is checked before the first policy is loaded. Whatever ends the sweep, the policy from
// before is restored, and the results so far are written.

#include "apps/twinpath/sweep/job.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "apps/program.h"
#include "apps/signals.h"
#include "apps/twinpath/compare/output.h"
#include "apps/twinpath/sweep/target.h"
#include "src/compare/lab/child.h"
#include "src/compare/lab/facts.h"
#include "src/compare/sweep/page.h"
#include "src/compare/sweep/run.h"
#include "src/compare/sweep/text.h"
#include "src/config/json/json_document.h"
#include "src/config/json/values.h"
#include "src/config/policy/policy.h"
#include "src/config/sha256.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kSweep[] = "twinpath sweep", kStdout[] = "-";
constexpr char kSweepFile[] = "results.json", kPreviousSweep[] = "results.previous.json";
constexpr milliseconds kSignalPause(1);
constexpr std::chrono::seconds kWriteEvery(2);  // results of a long sweep, at most so often

absl::StatusOr<milliseconds> TimeOf(const char* option, const std::string& text) {
  const auto ns = ReadDurationText(text);
  if (!ns) return FoundError(option, "", Quote(text), "a duration such as \"500ms\" or \"2s\"");
  return milliseconds(*ns / 1'000'000);
}

absl::Status CheckGiven(const SweepOptions& options) {
  if (options.sets.empty())
    return absl::InvalidArgumentError(
        "--set is required: a place of the policy and its values, such as "
        "--set /rules/0/loss/rate=0%,1%");
  if (options.command.empty())
    return absl::InvalidArgumentError("a command is required, behind all options and --");
  if (!options.write.empty() &&
      (!options.program.file_prefix.empty() || !options.program.path.empty()))
    return absl::InvalidArgumentError("--write and --file-prefix or --path are mutually exclusive");
  if (options.json == kStdout && options.csv == kStdout)
    return absl::InvalidArgumentError("--json - and --csv - are mutually exclusive");
  if (options.resume && options.report.empty())
    return absl::InvalidArgumentError("--resume needs --report DIR, the folder of the sweep");
  if (ProgramInPath(options.command[0]).empty())
    return absl::InvalidArgumentError(
        absl::StrCat("there is no program ", options.command[0], ", or it is not executable"));
  return absl::OkStatus();
}

// The matrix, the results to collect, and the policy.
absl::StatusOr<SweepResults> ReadOptions(const SweepOptions& options) {
  SweepResults results;
  for (const std::string& text : options.sets) {
    auto parameter = ParseSweepParameter(text);
    if (!parameter.ok()) return parameter.status();
    results.parameters.push_back(*std::move(parameter));
  }
  if (absl::Status s = CheckParameters(results.parameters); !s.ok()) return s;
  for (const std::string& text : options.gets) {
    auto result = ParseSweepResult(text);
    if (!result.ok()) return result.status();
    results.results.push_back(*std::move(result));
  }
  if (absl::Status s = CheckResults(results.results); !s.ok()) return s;
  auto text = ReadDocument(options.policy);
  if (!text.ok()) return text.status();
  const auto digest = Sha256Hex(*text);
  if (!digest.ok()) return digest.status();
  if (const auto policy = ParsePolicy(*text, options.policy); !policy.ok()) return policy.status();
  results.policy = {options.policy, *digest, *std::move(text)};
  results.command = options.command;
  results.repetitions = options.repeat;
  results.version = TWINPATH_VERSION;
  results.started = UtcNow();
  results.machine =
      MachineFacts({.generator = "", .lan = "", .wan = "", .receiver = "", .own = false});
  return results;
}

// Makes the folder. Takes over the runs of its results, or gives these another name.
absl::Status OpenReport(const SweepOptions& options, SweepResults* results) {
  if (options.report.empty()) return absl::OkStatus();
  std::error_code error;
  fs::create_directories(options.report, error);
  if (!fs::is_directory(options.report))
    return absl::InvalidArgumentError(
        absl::StrCat("--report: ", options.report, " cannot be made: ", error.message()));
  const fs::path file = fs::path(options.report) / kSweepFile;
  if (!options.resume) {
    fs::rename(file, fs::path(options.report) / kPreviousSweep, error);  // there may be none
    return absl::OkStatus();
  }
  const auto text = ReadDocument(file);
  if (!text.ok()) return text.status();
  auto before = ParseSweep(*text, file);
  if (!before.ok()) return before.status();
  if (!SameSweep(*before, *results))
    return absl::InvalidArgumentError(
        absl::StrCat("--resume: ", file.string(),
                     " is of another sweep: policy, command, --set and --get must be the same"));
  results->runs = std::move(before->runs);
  results->duration = before->duration;
  results->started = before->started;
  return absl::OkStatus();
}

absl::Status WriteSweep(const SweepOptions& options, const SweepResults& results) {
  absl::Status status;
  const auto write = [&status](const std::string& path, const std::string& text) {
    if (!path.empty() && path != kStdout) status.Update(ReplaceFile(path, text));
  };
  const std::string json = SweepJson(results).dump(1) + "\n";
  write(options.json, json);
  write(options.csv, SweepCsv(results));
  if (options.report.empty()) return status;
  const fs::path folder = options.report;
  write(folder / kSweepFile, json);
  write(folder / "results.csv", SweepCsv(results));
  write(folder / "index.html", SweepPage(results));
  return status;
}

// Runs all, and shows it meanwhile.
absl::Status RunMatrix(const SweepOptions& options, const SweepTimes& times, bool quiet,
                       const HeldSignals& signals, SweepTarget* target, SweepResults* results) {
  const ProgressLine progress;
  const auto start = steady_clock::now();
  bool stopped = false;
  absl::Status written;
  auto next_write = start;
  const absl::Status ran = RunSweep(
      times,
      {.apply = [target](const std::string& text) { return target->Apply(text); },
       .stopped =
           [&] {
             stopped =
                 stopped || signals.WaitUntil(HeldSignals::Clock::now() + kSignalPause).has_value();
             return stopped;
           },
       .on_step =
           [&](const std::string& what, size_t done, size_t all) {
             const std::chrono::duration<double> elapsed = steady_clock::now() - start;
             progress.Show(what, elapsed.count(), done, all);
           },
       .on_run =
           [&](const SweepRun& run) {
             progress.Clear();
             if (!quiet) std::cout << RunText(*results, run) << "\n" << std::flush;
             if (steady_clock::now() < next_write) return;
             written.Update(WriteSweep(options, *results));
             next_write = steady_clock::now() + kWriteEvery;
           },
       .variables = target->Variables()},
      results);
  progress.Clear();
  absl::Status status = ran;
  status.Update(target->Restore());
  status.Update(written);
  status.Update(WriteSweep(options, *results));
  return status;
}

bool AllFailed(const SweepResults& results) {
  for (const SweepRun& run : results.runs)
    if (run.problem.empty()) return false;
  return !results.runs.empty();
}

}  // namespace

int RunSweepJob(const SweepOptions& options) {
  const HeldSignals signals;
  const auto wrong = [](const absl::Status& status) {
    return PrintError(kSweep, ExitStatusOf(status), status);
  };
  if (absl::Status checked = CheckGiven(options); !checked.ok()) return wrong(checked);
  SweepTimes times;
  const auto settle = TimeOf("--settle", options.settle);
  if (!settle.ok()) return wrong(settle.status());
  times.settle = *settle;
  if (!options.timeout.empty()) {
    const auto timeout = TimeOf("--timeout", options.timeout);
    if (!timeout.ok()) return wrong(timeout.status());
    times.timeout = *timeout;
  }
  auto results = ReadOptions(options);
  if (!results.ok()) return wrong(results.status());
  std::error_code unknown;
  const std::string policy = fs::absolute(options.policy, unknown).string();
  const auto target = options.write.empty() ? RunningTarget(options.program, policy)
                                            : FileTarget(options.write, policy);
  if (!target.ok()) return wrong(target.status());
  const auto check = [&target](const std::string& text) { return (*target)->Check(text); };
  if (absl::Status checked = CheckSweep(*results, check); !checked.ok()) return wrong(checked);
  if (absl::Status opened = OpenReport(options, &*results); !opened.ok()) return wrong(opened);
  results->notes = (*target)->Notes();
  if (absl::Status written = WriteSweep(options, *results); !written.ok()) return wrong(written);

  const bool quiet = options.json == kStdout || options.csv == kStdout;
  const absl::Status measured = RunMatrix(options, times, quiet, signals, target->get(), &*results);
  if (options.json == kStdout) {
    std::cout << SweepJson(*results).dump(2) << "\n";
  } else if (options.csv == kStdout) {
    std::cout << SweepCsv(*results);
  } else {
    std::cout << "\n" << SweepText(*results, OutputWidth(STDOUT_FILENO));
    if (!options.report.empty()) std::cout << "\nReport: " << options.report << "/index.html\n";
  }
  if (!measured.ok()) return PrintError(kSweep, kFailed, measured);
  if (AllFailed(*results))
    return PrintError(kSweep, kFailed, "every run failed (see the rows above)");
  return kDone;
}

}  // namespace twinpath
