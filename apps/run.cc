// SPDX-License-Identifier: BSD-3-Clause
// The loop sleeps until the next signal, table, call of Watch, or the end. It runs on the main
// thread; on the DPDK path on a control thread, because the main thread is an lcore there.

#include "apps/run.h"

#include <algorithm>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/program.h"
#include "apps/run_options.h"
#include "apps/tables.h"
#include "src/telemetry/json.h"

namespace twinpath {

using Clock = HeldSignals::Clock;

// Waits until `deadline`, or for a signal that ends the run. Returns whether such a signal came.
bool MainLoop::EndsBefore(Clock::time_point deadline, const RunSettings& settings) const {
  for (;;) {
    const std::optional<siginfo_t> signal = signals_.WaitUntil(deadline);
    if (!signal) return false;
    if (signal->si_signo != SIGHUP || !settings.on_hangup(*signal)) return true;
  }
}

void MainLoop::Run(const RunSettings& settings, Path* path) {
  // On the XDP path the kernel does the work, and the watchdog watches this thread instead of
  // workers.
  std::atomic<uint64_t> turns = 0;
  service_.Ready(settings.status, [&turns, path] {
    std::vector<uint64_t> progress = path->Progress();
    return progress.empty() ? std::vector<uint64_t>{turns.load()} : progress;
  });
  const Clock::time_point start = Clock::now(), never = start + std::chrono::hours(24 * 36525);
  const auto end = settings.duration ? After(start, *settings.duration) : never;
  double tables = 1;  // the number of the next table
  for (auto now = start; now < end && !path->HasEnded(); now = Clock::now()) {
    turns++;
    if (settings.watch_period) path->Watch(now);
    const auto table =
        settings.stats_interval ? After(start, tables * *settings.stats_interval) : never;
    const auto watch = settings.watch_period ? now + *settings.watch_period : never;
    if (EndsBefore(std::min({end, table, watch}), settings)) break;
    if (Clock::now() < table || table >= end) continue;
    std::cout << ProgramTable(SummaryJson(path->TakeSnapshot())) << "\n" << std::flush;
    tables++;
  }
  service_.Stopping();
}

namespace {

std::function<Snapshot()> SnapshotOf(const std::atomic<const Path*>* path) {
  return [path] {
    const Path* current = path->load();
    return current ? current->TakeSnapshot() : Snapshot();
  };
}

}  // namespace

absl::StatusOr<TelemetryServer> StartTelemetry(const std::string& file_prefix,
                                               const std::atomic<const Path*>* path) {
  return TelemetryServer::Start(file_prefix, std::string("twinpath ") + TWINPATH_VERSION,
                                SnapshotOf(path));
}

absl::StatusOr<std::unique_ptr<MetricsServer>> StartMetrics(const std::string& address,
                                                            const std::atomic<const Path*>* path,
                                                            const Log& log) {
  if (address.empty()) return nullptr;
  auto server = MetricsServer::Start(address, SnapshotOf(path));
  if (server.ok()) log(absl::StrCat("metrics: ", (*server)->url()));
  return server;
}

absl::StatusOr<ControlServer> StartControl(const std::string& file_prefix, PolicyReloader* reloader,
                                           const cpu_set_t* cpus) {
  return ControlServer::Start(
      file_prefix,
      [reloader](const std::string& file, const std::string& text) {
        return reloader->Reload(file, text);
      },
      {.cpus = cpus,
       .log = [reloader](const std::string& line) { reloader->Log(line); },
       .set_loss = [reloader](const std::string& rule,
                              const std::string& loss) { return reloader->SetLoss(rule, loss); },
       .ask = [reloader](const std::string& port, std::optional<uint32_t> queue,
                         const std::string& frame) { return reloader->Ask(port, queue, frame); },
       .sources = [reloader] { return reloader->Sources(); }});
}

int ShowEnd(absl::string_view program, const Path& path, const std::string& summary) {
  const absl::Status shown = ShowSummary(SummaryJson(path.TakeSnapshot()), summary);
  return shown.ok() ? FinishOutput(program, kDone) : PrintError(program, kFailed, shown);
}

}  // namespace twinpath
