// SPDX-License-Identifier: BSD-3-Clause
// sigtimedwait(2) receives the signals.

#include "apps/signals.h"

namespace twinpath {

HeldSignals::HeldSignals() {
  sigemptyset(&signals_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, number);
  signal(SIGPIPE, SIG_IGN);
  sigprocmask(SIG_BLOCK, &signals_, nullptr);
}

std::optional<siginfo_t> HeldSignals::WaitUntil(Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::nanoseconds(deadline - Clock::now()).count();
    if (left <= 0) return std::nullopt;
    const timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    siginfo_t info = {};
    if (sigtimedwait(&signals_, &info, &timeout) > 0) return info;
  }
}

HeldSignals::Clock::time_point After(HeldSignals::Clock::time_point start, double seconds) {
  return start + std::chrono::duration_cast<HeldSignals::Clock::duration>(
                     std::chrono::duration<double>(seconds));
}

}  // namespace twinpath
