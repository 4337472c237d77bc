// SPDX-License-Identifier: BSD-3-Clause
// twinpath stats shows the counters of a running program, once or repeatedly. twinpath top shows
// its rates. Main thread.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/tables.h"
#include "apps/twinpath/running/choice.h"
#include "apps/twinpath/screen.h"
#include "apps/twinpath/subcommand.h"
#include "src/telemetry/client/client.h"
#include "src/telemetry/json.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr size_t kWidth = 100;  // of the tables, unless the terminal is narrower

struct StatsOptions {
  bool json = false;
  bool watch = false;
  bool top = false;    // rates only
  double seconds = 1;  // between two readings
  RunningChoice program;
};

std::vector<std::string> AllPaths() { return {"dpdk", "xdp", "socket", "splice"}; }

// A running program, and the last two summaries that were read from it.
struct Source {
  std::string file_prefix;
  TelemetryClient client;
  ordered_json summary, before;
};

// Returns the name that errors begin with.
const char* NameOf(const StatsOptions& options) {
  return options.top ? "twinpath top" : "twinpath stats";
}

absl::Status Read(Source* source) {
  absl::StatusOr<Snapshot> snapshot = FetchSnapshot(&source->client, ProgramSections());
  if (!snapshot.ok()) return snapshot.status();
  source->before = std::move(source->summary);
  source->summary = SummaryJson(*snapshot);
  return absl::OkStatus();
}

std::string Tables(const std::vector<Source>& sources, size_t width, bool top) {
  std::string text;
  for (const Source& source : sources) {
    const std::string rates =
        source.before.is_null() ? "" : ProgramRates(source.before, source.summary, width);
    absl::StrAppend(&text, text.empty() ? "" : "\n", top ? source.file_prefix + ": " : "", rates);
    if (top && rates.empty()) text += "no rates yet: they need two readings\n";
    if (!top)
      absl::StrAppend(&text, rates.empty() ? "" : "\n", ProgramTable(source.summary, width));
  }
  return text;
}

// Connects to the programs that run, or to the chosen one. *silent names the programs that run but
// do not answer. NotFound if none runs, with the places that were tried; DeadlineExceeded if none
// answers.
absl::StatusOr<std::vector<Source>> Connect(const RunningChoice& program, std::string* silent) {
  const auto prefixes = ChosenPrefixes(program, AllPaths());
  if (!prefixes.ok()) return prefixes.status();
  std::vector<Source> sources;
  std::string missing;
  for (const std::string& prefix : *prefixes) {
    absl::StatusOr<TelemetryClient> client = TelemetryClient::Connect(prefix);
    if (client.ok())
      sources.push_back({prefix, *std::move(client), nullptr, nullptr});
    else if (absl::IsNotFound(client.status()))
      absl::StrAppend(&missing, missing.empty() ? "" : ", ",
                      absl::string_view(client.status().message()));
    else if (absl::IsDeadlineExceeded(client.status()))
      absl::StrAppend(silent, silent->empty() ? "" : ", ", client.status().message());
    else
      return client.status();
  }
  if (!sources.empty()) return sources;
  if (!silent->empty()) return absl::DeadlineExceededError(*silent);
  if (getuid() != 0) missing += "; only root can ask what root started";
  return absl::NotFoundError(absl::StrCat("no Twinpath program runs: ", missing));
}

// Waits for `seconds`. Returns true if one of `signals`, which are blocked, came before that.
bool AskedToEnd(const sigset_t& signals, double seconds) {
  timespec time = {};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9);
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

int Watch(std::vector<Source> sources, const StatsOptions& options) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::optional<Screen> screen;
  if (!options.json && Screen::Usable()) screen.emplace();
  std::string text, ended;
  do {
    text = options.json ? absl::StrCat(sources[0].summary.dump(), "\n")
                        : Tables(sources, screen ? std::min(screen->columns(), kWidth) : kWidth,
                                 options.top);
    if (screen)
      screen->Show(text);
    else
      std::cout << text << (options.json ? "" : "\n") << std::flush;
    if (!std::cout || AskedToEnd(signals, options.seconds)) break;
    for (size_t i = sources.size(); i-- > 0;) {
      const absl::Status status = Read(&sources[i]);
      if (status.ok() || absl::IsAborted(status))
        continue;  // reloads kept interrupting the reading; the last one stays
      absl::StrAppend(&ended, ended.empty() ? "" : "\n", sources[i].file_prefix,
                      absl::IsDeadlineExceeded(status) ? ": " : " has ended: ", status.message());
      sources.erase(sources.begin() + static_cast<std::ptrdiff_t>(i));
    }
  } while (!sources.empty());
  if (screen) {
    screen.reset();
    std::cout << text;  // the last reading stays visible
  }
  return ended.empty() ? kDone
                       : PrintError(NameOf(options), sources.empty() ? kFailed : kDone, ended);
}

int Stats(const StatsOptions& options) {
  std::string silent;
  absl::StatusOr<std::vector<Source>> sources = Connect(options.program, &silent);
  if (!sources.ok())
    return PrintError(NameOf(options), ExitStatusOf(sources.status()), sources.status());
  // The programs that answer are shown in any case.
  const int done = silent.empty() ? kDone : PrintErrorLine(NameOf(options), kFailed, silent);
  // JSON is always one object: its form must not depend on how many programs run.
  if (options.json && sources->size() > 1)
    return PrintError(
        NameOf(options), kWrong,
        absl::StrCat(sources->front().file_prefix, " and ", sources->back().file_prefix,
                     " both run: choose one with --path or --file-prefix"));
  for (Source& source : *sources)
    if (absl::Status status = Read(&source); !status.ok())
      return PrintError(NameOf(options), kFailed, status);
  if (options.watch) return std::max<int>(done, Watch(*std::move(sources), options));
  if (options.json)
    std::cout << sources->front().summary.dump(2) << "\n";
  else
    std::cout << Tables(*sources, kWidth, false);
  return done;
}

}  // namespace

void AddStats(CLI::App* app, Run* run) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App* stats = app->add_subcommand("stats", "Show the counters of a running program");
  stats->add_flag("--json", options->json,
                  "Print the summary as JSON; with --watch, one line for each reading");
  CLI::Option* watch =
      stats->add_option("--watch", options->seconds, "Read again every SECONDS (default: 1)")
          ->option_text("[SECONDS]")
          ->expected(0, 1)
          ->check(NumberFrom(0.1, 86400));
  AddRunningChoice(stats, AllPaths(), &options->program);
  stats->callback([options, watch, run] {
    options->watch = watch->count() > 0;
    *run = [options] { return Stats(*options); };
  });
}

void AddTop(CLI::App* app, Run* run) {
  auto options = std::make_shared<StatsOptions>();
  options->watch = options->top = true;
  CLI::App* top =
      app->add_subcommand("top", "Show the rates of a running program, the busiest first");
  top->add_option("SECONDS", options->seconds, "The time between two readings (default: 1)")
      ->option_text("")
      ->check(NumberFrom(0.1, 86400));
  AddRunningChoice(top, AllPaths(), &options->program);
  top->callback([options, run] { *run = [options] { return Stats(*options); }; });
}

}  // namespace twinpath
