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
#include "apps/policy_reloader.h"
#include "apps/service.h"
#include "apps/signals.h"
#include "src/control/server.h"
#include "src/engine/path.h"
#include "src/telemetry/server/server.h"

namespace twinpath {

struct RunSettings {
  std::optional<double> duration, stats_interval;  // seconds; nullopt: no end, no tables
  // How often Path::Watch is called, and Path::HasEnded asked; nullopt: never.
  std::optional<std::chrono::milliseconds> look;
  std::string status;                               // what the service manager shows: "forwarding"
  std::function<bool(const siginfo_t&)> on_hangup;  // SIGHUP; false: the run is to end
};

class MainLoop {
 public:
  // To be made first in main(), before any other thread. Blocks SIGINT, SIGTERM and SIGHUP, and
  // reads what the service manager wants to be told.
  MainLoop() = default;

  // Runs until the duration is over, a signal comes that ends the run, or `path` has ended; then
  // tells the service manager that the program stops. Does not stop the path. Once.
  void Run(const RunSettings& settings, Path* path);

  // For what comes after Run: a second signal.
  const HeldSignals& signals() const { return signals_; }

 private:
  bool EndsBefore(HeldSignals::Clock::time_point deadline, const RunSettings& settings) const;

  const HeldSignals signals_;
  Service service_;
};

// A telemetry server for a path that is yet to be made: it answers with an empty snapshot until
// *path is set. Started before the path touches anything, as another instance may own the socket.
absl::StatusOr<TelemetryServer> StartTelemetry(const std::string& file_prefix,
                                               const std::atomic<const Path*>* path);

// The control socket of a running path. `cpus` are for its thread; null: the caller's.
absl::StatusOr<ControlServer> StartControl(const std::string& file_prefix, PolicyReloader* reloader,
                                           const cpu_set_t* cpus = nullptr);

// Prints the summary's tables and writes it to the file `summary`, if that is not empty. Returns
// the exit status of `program`, and says what went wrong.
int ShowEnd(absl::string_view program, const Path& path, const std::string& summary);

}  // namespace twinpath

#endif  // TWINPATH_APPS_RUN_H_
