// SPDX-License-Identifier: BSD-3-Clause
// Whether SIGINT, SIGTERM or SIGHUP asked the program to end: blocked from the start, and looked
// for between two bursts. Threads and processes that are started later block them, too. Main
// thread.

#ifndef TWINPATH_APPS_TWINPATH_TRAFFIC_STOP_H_
#define TWINPATH_APPS_TWINPATH_TRAFFIC_STOP_H_

#include <signal.h>

namespace twinpath {

class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    struct sigaction hangup = {};
    sigaction(SIGHUP, nullptr, &hangup);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
      if (number != SIGHUP || hangup.sa_handler != SIG_IGN) sigaddset(&signals_, number);
    sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }

  // True from the first signal on.
  bool operator()() {
    const timespec now = {};
    stopped_ = stopped_ || sigtimedwait(&signals_, nullptr, &now) > 0;
    return stopped_;
  }

 private:
  sigset_t signals_;
  bool stopped_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_STOP_H_
