// SPDX-License-Identifier: BSD-3-Clause
// twinpath-splice: forwards TCP connections. Parses the command line, starts the splicer, waits,
// drains, and prints the summary. Main thread, which takes signals synchronously.

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/log.h"
#include "apps/program.h"
#include "apps/run.h"
#include "apps/run_options.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/policy.h"
#include "src/control/hangup.h"
#include "src/splice/splicer.h"

namespace twinpath::splice {
namespace {

constexpr uint32_t kDefaultConnections = 10000;
constexpr std::chrono::milliseconds kDrainPoll(20);

struct CommandLine {
  std::string listen;
  std::vector<std::string> targets;
  std::string mode = "auto", refuse = "0", reset_after, file_prefix = "twinpath-splice";
  RunOptions run;  // only its times and its summary
  std::optional<uint32_t> workers, connections;
  uint64_t seed = 0;
  double connect_timeout = 5, retry = 5, drain = 10;
  std::optional<double> idle;
  std::optional<uint32_t> keepalive;
  bool nagle = false;
};

constexpr char kProgram[] = "twinpath-splice";
constexpr char kConnectionsGroup[] = "Connections", kTimesGroup[] = "Times of connections",
               kChaosGroup[] = "Chaos";

// Like WrongSeconds, but allows 0, too.
std::string WrongSecondsOrZero(const std::string& text) {
  const bool zero =
      text.find_first_not_of("0.") == std::string::npos && text.find('0') != std::string::npos;
  const std::string wrong = zero ? "" : WrongSeconds(text);
  return wrong.empty() ? wrong : wrong + ", or 0";
}

void AddTimes(CLI::App& app, CommandLine* line) {
  app.add_option("--connect-timeout", line->connect_timeout,
                 "Try the next target if one does not answer within S seconds")
      ->type_name("S")
      ->check(WrongSeconds)
      ->capture_default_str()
      ->group(kTimesGroup);
  app.add_option("--retry", line->retry, "Skip a target that failed for S seconds; 0: never skip")
      ->type_name("S")
      ->check(WrongSecondsOrZero)
      ->capture_default_str()
      ->group(kTimesGroup);
  app.add_option("--idle", line->idle,
                 "Reset a connection after S seconds without traffic (default: never)")
      ->type_name("S")
      ->check(WrongSeconds)
      ->group(kTimesGroup);
  app.add_option("--drain", line->drain,
                 "At the end, give open connections S seconds to finish; 0: reset them at once")
      ->type_name("S")
      ->check(WrongSecondsOrZero)
      ->capture_default_str()
      ->group(kTimesGroup);
}

void AddChaos(CLI::App& app, CommandLine* line) {
  app.add_option("--refuse", line->refuse, "Reset this share of clients on accept: 1% or 0.01")
      ->type_name("PCT")
      ->capture_default_str()
      ->group(kChaosGroup);
  app.add_option("--reset-after", line->reset_after,
                 "Reset a connection after this many bytes in one direction, or after this time: "
                 "64K, 1M-16M, 500ms, 1s-30s (default: never)")
      ->type_name("BYTES|TIME")
      ->group(kChaosGroup);
  app.add_option("--seed", line->seed, "Seed of --refuse and of the ranges of --reset-after")
      ->type_name("N")
      ->check(IntegerFrom(0, UINT64_MAX))
      ->capture_default_str()
      ->group(kChaosGroup);
}

void AddOptions(CLI::App& app, CommandLine* line) {
  app.add_option("--listen", line->listen, "Accept clients here: 0.0.0.0:8080, [::]:8080")
      ->type_name("ADDRESS:PORT")
      ->required()
      ->group(kConnectionsGroup);
  app.add_option("--to", line->targets, "Forward to this target; repeat it for a round robin")
      ->type_name("ADDRESS:PORT")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->required()
      ->group(kConnectionsGroup);
  app.add_option("--mode", line->mode,
                 "sockmap (in the kernel), splice (through a pipe), copy, or auto")
      ->type_name("MODE")
      ->check(OneOf({"auto", "sockmap", "splice", "copy"}))
      ->capture_default_str()
      ->group(kConnectionsGroup);
  app.add_option("--workers", line->workers, "Threads (default: one per CPU, at most 8)")
      ->option_text("N")
      ->check(IntegerFrom(1, 256))
      ->group(kConnectionsGroup);
  app.add_option("--max-connections", line->connections,
                 "Open connections; clients beyond them are reset (default: 10000, or what the "
                 "limit of file descriptors allows)")
      ->option_text("N")
      ->check(IntegerFrom(1, 1000000))
      ->group(kConnectionsGroup);
  app.add_flag("--nagle", line->nagle, "Keep Nagle's algorithm (default: set TCP_NODELAY)")
      ->group(kConnectionsGroup);
  app.add_option("--keepalive", line->keepalive,
                 "Send keepalive probes after S seconds of silence (default: none)")
      ->option_text("S")
      ->check(IntegerFrom(1, 32767))
      ->group(kConnectionsGroup);
  AddChaos(app, line);
  AddTimes(app, line);
  AddRunTimes(app, &line->run);
  app.add_option("--file-prefix", line->file_prefix, "Name of the telemetry socket's folder")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(kRunGroup);
  AddVersion(app, kProgram);
}

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1e3));
}

absl::Status ParseChaos(const CommandLine& line, ChaosPlan* plan) {
  plan->seed = line.seed;
  auto refuse = ParseProbability(line.refuse);
  if (!refuse.ok())
    return absl::InvalidArgumentError("--refuse: " + std::string(refuse.status().message()));
  plan->refuse = *std::move(refuse);
  if (line.reset_after.empty()) return absl::OkStatus();
  auto reset_after = ParseResetAfter(line.reset_after);
  if (!reset_after.ok()) return reset_after.status();
  plan->reset_after = *reset_after;
  return absl::OkStatus();
}

absl::StatusOr<SplicerOptions> ParseOptions(const CommandLine& line) {
  SplicerOptions options;
  auto listen = ParseAddress("--listen", line.listen, /*allow_port_0=*/true);
  if (!listen.ok()) return listen.status();
  options.listen = *listen;
  for (const std::string& text : line.targets) {
    auto target = ParseAddress("--to", text);
    if (!target.ok()) return target.status();
    options.targets.push_back(*target);
  }
  for (const Mode mode : {Mode::kCopy, Mode::kSplice, Mode::kSockmap})
    if (line.mode == ModeName(mode)) options.mode = mode;
  options.workers = line.workers.value_or(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
  options.max_connections = line.connections.value_or(kDefaultConnections);
  options.socket.nodelay = !line.nagle;
  options.socket.keepalive_s = line.keepalive;
  options.connect_timeout = Milliseconds(line.connect_timeout);
  options.retry = Milliseconds(line.retry);
  if (line.idle.has_value()) options.idle = Milliseconds(*line.idle);
  absl::Status status = ParseChaos(line, &options.chaos);
  if (status.ok()) status = FitDescriptors(&options, !line.connections.has_value());
  if (!status.ok()) return status;
  return options;
}

// Lets open connections finish. Returns when none is open, the time for draining is over, or
// another signal ends the run.
void Drain(const CommandLine& line, const HeldSignals& signals,
           const std::function<bool(const siginfo_t&)>& on_hangup, Splicer* splicer) {
  splicer->Drain();
  const auto end = After(Clock::now(), line.drain);
  while (splicer->open() != 0 && Clock::now() < end) {
    const auto signal = signals.WaitUntil(std::min(end, Clock::now() + kDrainPoll));
    if (signal && (signal->si_signo != SIGHUP || !on_hangup(*signal))) return;
  }
}

// Returns the line that the log gets at the start.
std::string StartLine(const Splicer& splicer, const SplicerOptions& options, bool lowered) {
  return absl::StrCat("listening on ", splicer.address(), ", mode ", ModeName(splicer.mode()), " (",
                      splicer.why(), "), ", options.workers,
                      options.workers == 1 ? " worker" : " workers", ", at most ",
                      options.max_connections, " connections",
                      lowered ? " (the limit of file descriptors; raise it with ulimit -Hn)" : "");
}

int RunProgram(const CommandLine& line, const Hangup& hangup, MainLoop* loop) {
  const Log log(kProgram);
  auto options = ParseOptions(line);
  if (!options.ok()) return PrintError(kProgram, kWrong, options.status());
  absl::Status status = CheckSummary(line.run);
  if (!status.ok()) return PrintError(kProgram, kWrong, status);
  // The telemetry socket comes first: if another instance owns it, this one must accept no clients.
  std::atomic<const Path*> running = nullptr;
  std::unique_ptr<Splicer> splicer;  // outlives the server, whose thread reads it
  auto server = StartTelemetry(line.file_prefix, &running);
  if (!server.ok()) return PrintError(kProgram, kWrong, server.status());
  auto metrics = StartMetrics(line.run.metrics, &running, log);
  if (!metrics.ok()) return PrintError(kProgram, kWrong, metrics.status());
  auto created = Splicer::Create(*options, log);
  if (!created.ok()) return PrintError(kProgram, kWrong, created.status());
  splicer = *std::move(created);
  running = splicer.get();
  const bool lowered =
      !line.connections.has_value() && options->max_connections < kDefaultConnections;
  log(StartLine(*splicer, *options, lowered));
  const auto on_hangup = [&](const siginfo_t& info) {
    if (!hangup.AsksToReload(info)) return !hangup.EndsTheRun();
    log("SIGHUP: there is no policy to read again; nothing changes");
    return true;
  };
  loop->Run({.duration = line.run.duration,
             .stats_interval = line.run.stats_interval,
             .watch_period = std::nullopt,
             .status = "listening on " + splicer->address(),
             .on_hangup = on_hangup},
            splicer.get());
  Drain(line, loop->signals(), on_hangup, splicer.get());
  status = splicer->Stop();
  if (!status.ok()) return PrintError(kProgram, kFailed, status);
  return ShowEnd(kProgram, *splicer, line.run.summary);
}

int Main(int argc, char** argv) {
  const Hangup hangup;
  MainLoop loop;
  CommandLine line;
  CLI::App app("Forwards TCP connections, and breaks them on request.", kProgram);
  AddOptions(app, &line);
  if (const std::optional<int> ended = ParseCommandLine(app, argc, argv)) return *ended;
  return RunProgram(line, hangup, &loop);
}

}  // namespace
}  // namespace twinpath::splice

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath-splice", argc, argv, twinpath::splice::Main);
}
