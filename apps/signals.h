// SPDX-License-Identifier: BSD-3-Clause
// Signals that end a program or reload its policy. They are blocked from the start, and a thread
// receives them by waiting for them.

#ifndef TWINPATH_APPS_SIGNALS_H_
#define TWINPATH_APPS_SIGNALS_H_

#include <signal.h>

#include <chrono>
#include <optional>

namespace twinpath {

class HeldSignals {
 public:
  using Clock = std::chrono::steady_clock;

  // Blocks SIGINT, SIGTERM and SIGHUP; threads that start later inherit the mask. Ignores SIGPIPE,
  // because the reader of the tables, or the peer of a connection, may close first.
  HeldSignals();

  // Waits for a signal until `deadline`. Returns nullopt if none came. One thread at a time.
  std::optional<siginfo_t> WaitUntil(Clock::time_point deadline) const;

 private:
  sigset_t signals_;
};

// Returns `start` plus `seconds`.
HeldSignals::Clock::time_point After(HeldSignals::Clock::time_point start, double seconds);

}  // namespace twinpath

#endif  // TWINPATH_APPS_SIGNALS_H_
