// SPDX-License-Identifier: BSD-3-Clause
// The main loop that all daemons share: signals, --duration, --stats-interval, reloads by SIGHUP,
// the service manager, and the summary at the end.

#ifndef TWINPATH_APPS_RUN_H_
#define TWINPATH_APPS_RUN_H_

#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "apps/log.h"
#include "apps/policy_reloader.h"
#include "apps/service.h"
#include "apps/signals.h"
#include "src/control/server.h"
#include "src/engine/path.h"
#include "src/metrics/server.h"
#include "src/telemetry/server/server.h"

namespace twinpath {

struct RunSettings {
  std::optional<double> duration, stats_interval;  // seconds; nullopt: no end, no tables
  // The time between two calls of Path::Watch and Path::HasEnded; nullopt: never called.
  std::optional<std::chrono::milliseconds> watch_period;
  std::string status;                               // for the service manager: "forwarding"
  std::function<bool(const siginfo_t&)> on_hangup;  // on SIGHUP; false: the run has to end
};

class MainLoop {
 public:
  // Construct it first in main(), before other threads start: it blocks SIGINT, SIGTERM and SIGHUP,
  // and reads the service manager's settings.
  MainLoop() = default;

  // Runs until the duration is over, a signal ends the run, or `path` has ended. Then tells the
  // service manager that the program stops. Does not stop the path. Call it once.
  void Run(const RunSettings& settings, Path* path);

  // For a program that waits for a second signal after Run.
  const HeldSignals& signals() const { return signals_; }

 private:
  bool EndsBefore(HeldSignals::Clock::time_point deadline, const RunSettings& settings) const;

  const HeldSignals signals_;
  Service service_;
};

// Starts a telemetry server for a path that does not exist yet: it answers with an empty snapshot
// until *path is set. Start it before the path changes anything, because it fails if another
// instance owns the socket.
absl::StatusOr<TelemetryServer> StartTelemetry(const std::string& file_prefix,
                                               const std::atomic<const Path*>* path);

// Starts serving the metrics of a path that does not exist yet at `address` (empty: nowhere), and
// logs where. Call it before the path changes anything, and before the calling thread is bound to a
// CPU: the errors are those of MetricsServer::Start.
absl::StatusOr<std::unique_ptr<MetricsServer>> StartMetrics(const std::string& address,
                                                            const std::atomic<const Path*>* path,
                                                            const Log& log);

// Starts the control socket of a running path. `cpus` are the CPUs of its thread; null: those of
// the caller.
absl::StatusOr<ControlServer> StartControl(const std::string& file_prefix, PolicyReloader* reloader,
                                           const cpu_set_t* cpus = nullptr);

// Prints the tables of the summary, and writes the summary to the file `summary` if that is not
// empty. Prints errors. Returns the exit status of `program`.
int ShowEnd(absl::string_view program, const Path& path, const std::string& summary);

}  // namespace twinpath

#endif  // TWINPATH_APPS_RUN_H_
