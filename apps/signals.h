// SPDX-License-Identifier: BSD-3-Clause
// Signals that end a program or reload its policy: blocked from the start, and received
// synchronously by waiting for them.

#ifndef TWINPATH_APPS_SIGNALS_H_
#define TWINPATH_APPS_SIGNALS_H_

#include <signal.h>

#include <chrono>
#include <optional>

namespace twinpath {

class HeldSignals {
 public:
  using Clock = std::chrono::steady_clock;

  // Blocks SIGINT, SIGTERM and SIGHUP. Threads that are started later inherit the mask. Ignores
  // SIGPIPE: the reader of the tables, or a connection's peer, may close first.
  HeldSignals();

  // Waits for a signal until `deadline`; nullopt: none came. One thread at a time.
  std::optional<siginfo_t> Before(Clock::time_point deadline) const;

 private:
  sigset_t signals_;
};

// `start` plus `seconds`.
HeldSignals::Clock::time_point After(HeldSignals::Clock::time_point start, double seconds);

}  // namespace twinpath

#endif  // TWINPATH_APPS_SIGNALS_H_
