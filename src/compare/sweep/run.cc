// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/run.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/compare/lab/child.h"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/table/text_table.h"

namespace twinpath {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook(50), kEndGrace(2000);
constexpr size_t kMostComplaint = 200;  // of a command's error message

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// A file in memory for one of the command's outputs. The command opens it by its path.
class OutputFile {
 public:
  static absl::StatusOr<OutputFile> Make(const char* name) {
    FileDescriptor fd(memfd_create(name, MFD_CLOEXEC));
    if (fd.get() < 0) return absl::ErrnoToStatus(errno, "memfd_create");
    return OutputFile(std::move(fd));
  }
  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_.get()); }
  std::string Read() const { return ReadFile(path()); }

 private:
  explicit OutputFile(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return FitText(text.substr(text.rfind('\n') + 1), kMostComplaint);
}

// What a failed command said: its "error" in JSON, or the last line of its standard error or
// output.
std::string Complaint(const std::string& output, const std::string& errors) {
  const Collected error = CollectResults(output, {{"error", "/error"}});
  if (error.problem.empty() && error.values[0].is_string())
    return FitText(error.values[0].get<std::string>(), kMostComplaint);
  const std::string line = LastLine(errors);
  return line.empty() ? LastLine(output) : line;
}

// Waits for the end of the command. nullopt: `hooks` stopped it, and it has ended.
std::optional<SweepRun> Await(Child* child, const SweepTimes& times, const SweepHooks& hooks,
                              SweepRun run) {
  const auto start = steady_clock::now();
  for (;;) {
    run.exit_status = child->WaitFor(kLook);
    run.seconds = SecondsSince(start);
    if (run.exit_status) return run;
    if (hooks.stopped()) {
      child->StopGroup(SIGTERM, kEndGrace);
      return std::nullopt;
    }
    if (times.timeout.count() > 0 && steady_clock::now() - start > times.timeout) {
      child->StopGroup(SIGTERM, kEndGrace);
      run.problem = absl::StrFormat("the command did not end within %g s (--timeout)",
                                    static_cast<double>(times.timeout.count()) / 1e3);
      return run;
    }
  }
}

// Waits, unless the sweep is stopped. Returns whether it may go on.
bool Settle(milliseconds time, const SweepHooks& hooks) {
  const auto end = steady_clock::now() + time;
  while (!hooks.stopped()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return true;
    usleep(static_cast<useconds_t>(std::min(left, kLook).count() * 1000));
  }
  return false;
}

// One run. nullopt: it was stopped.
absl::StatusOr<std::optional<SweepRun>> RunStep(const SweepStep& step, const SweepTimes& times,
                                                const SweepHooks& hooks,
                                                const SweepResults& results) {
  SweepRun run = {step.combination, step.repetition, std::nullopt, 0, {}, ""};
  run.values.resize(results.results.size());
  const auto policy = PolicyOf(results.policy.text, results.parameters, step.combination);
  if (!policy.ok()) return policy.status();
  if (const absl::Status applied = hooks.apply(*policy); !applied.ok()) {
    if (!absl::IsFailedPrecondition(applied) && !absl::IsInvalidArgument(applied)) return applied;
    run.problem = absl::StrCat("the policy was not loaded: ", std::string(applied.message()));
    return run;
  }
  if (!Settle(times.settle, hooks)) return std::nullopt;
  const auto output = OutputFile::Make("output"), errors = OutputFile::Make("errors");
  if (!output.ok()) return output.status();
  if (!errors.ok()) return errors.status();
  ChildOptions options = {.output = output->path(), .errors = errors->path(), .cpus = {}};
  options.keeps_input = false;
  options.variables = CombinationVariables(results.parameters, step.combination);
  options.variables.insert(options.variables.end(), hooks.variables.begin(), hooks.variables.end());
  options.variables.emplace_back("TWINPATH_REPETITION", absl::StrCat(step.repetition + 1));
  auto child = Child::Start(results.command, options);
  if (!child.ok()) return child.status();
  std::optional<SweepRun> ended = Await(&*child, times, hooks, std::move(run));
  if (!ended || !ended->problem.empty()) return ended;
  const std::string text = output->Read();
  if (*ended->exit_status != 0) {
    const std::string complaint = Complaint(text, errors->Read());
    ended->problem =
        absl::StrCat("exit status ", *ended->exit_status, complaint.empty() ? "" : ": ", complaint);
    return ended;
  }
  Collected collected = CollectResults(text, results.results);
  ended->values = std::move(collected.values);
  ended->problem = std::move(collected.problem);
  return ended;
}

}  // namespace

absl::Status CheckSweep(const SweepResults& results,
                        const std::function<absl::Status(const std::string& text)>& check) {
  for (const Combination& combination : Combinations(results.parameters)) {
    const auto policy = PolicyOf(results.policy.text, results.parameters, combination);
    if (!policy.ok()) return policy.status();
    if (const absl::Status checked = check(*policy); !checked.ok()) {
      const std::string values = CombinationText(results.parameters, combination);
      return absl::InvalidArgumentError(absl::StrCat(
          values.empty() ? "" : absl::StrCat("--set ", values, ": "), checked.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status RunSweep(const SweepTimes& times, const SweepHooks& hooks, SweepResults* results) {
  const auto start = steady_clock::now();
  const double before = results->duration;
  const std::vector<SweepStep> steps = SweepSchedule(*results);
  size_t done = 0;
  for (const SweepStep& step : steps) {
    if (hooks.stopped()) break;
    hooks.on_step(CombinationText(results->parameters, step.combination), done, steps.size());
    auto run = RunStep(step, times, hooks, *results);
    results->duration = before + SecondsSince(start);
    if (!run.ok()) return run.status();
    if (!*run) break;
    results->runs.push_back(**std::move(run));
    done++;
    hooks.on_run(results->runs.back());
  }
  results->complete = done == steps.size();
  if (!results->complete)
    results->notes.push_back(absl::StrCat("The sweep was interrupted after ", done, " of ",
                                          steps.size(), " runs; --resume goes on with the rest."));
  return absl::OkStatus();
}

}  // namespace twinpath
