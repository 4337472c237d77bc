// SPDX-License-Identifier: BSD-3-Clause
// The PMD has chosen a signal with fcntl(F_SETSIG) and installed a handler. Both can be read back.

#include "src/dpdk/quirks/tap_wake.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace twinpath {

void WakeTaps() {
  std::set<int> signals;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int number = fcntl(std::atoi(entry.path().filename().c_str()), F_GETSIG);
    if (number >= SIGRTMIN && number <= SIGRTMAX) signals.insert(number);
  }
  for (const int number : signals) {
    struct sigaction action = {};
    const bool handled = sigaction(number, nullptr, &action) == 0 &&
                         (action.sa_flags & SA_SIGINFO ||
                          (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN));
    if (handled) kill(getpid(), number);
  }
}

}  // namespace twinpath
