// SPDX-License-Identifier: BSD-3-Clause
// How a program is told to end: signals that are held from its start and taken synchronously, by
// waiting for them. Main thread.

#ifndef TWINPATH_APPS_SIGNALS_H_
#define TWINPATH_APPS_SIGNALS_H_

#include <signal.h>

#include <chrono>
#include <optional>

namespace twinpath {

class HeldSignals {
 public:
  using Clock = std::chrono::steady_clock;

  // Blocks SIGINT, SIGTERM and `hangup`, which is SIGHUP or none (0); threads that are made later
  // inherit that. SIGPIPE is ignored: who reads the tables, or a connection, may go before the run
  // ends.
  explicit HeldSignals(int hangup = SIGHUP);

  // Waits for one of them until `deadline`; nullopt: none came.
  std::optional<siginfo_t> Before(Clock::time_point deadline) const;

 private:
  sigset_t signals_;
};

// `seconds` behind `start`.
HeldSignals::Clock::time_point After(HeldSignals::Clock::time_point start, double seconds);

}  // namespace twinpath

#endif  // TWINPATH_APPS_SIGNALS_H_
