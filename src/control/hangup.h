// SPDX-License-Identifier: BSD-3-Clause
// Tells the two meanings of SIGHUP apart, for every program. Sent by a process, SIGHUP asks the
// program to read its policy's file again. Sent because the terminal hung up, SIGHUP ends the
// program, unless it was started with SIGHUP ignored (nohup(1)). One thread.

#ifndef TWINPATH_CONTROL_HANGUP_H_
#define TWINPATH_CONTROL_HANGUP_H_

#include <fcntl.h>
#include <signal.h>

#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Hangup {
 public:
  // Construct this when the program starts, before anything changes the action of SIGHUP.
  Hangup() : had_terminal_(HasTerminal()), ignored_(Ignored()) {}

  // Whether the program was started with SIGHUP ignored. sigtimedwait still receives the signal if
  // it is blocked.
  static bool Ignored() {
    struct sigaction action = {};
    sigaction(SIGHUP, nullptr, &action);
    return action.sa_handler == SIG_IGN;
  }

  // Whether a process asks for a reload. When a terminal hangs up, the kernel sends SIGHUP with an
  // si_code above 0 (sigaction(2)). The shell then sends SIGHUP to its jobs like any other process,
  // so this function also checks whether the terminal still exists.
  bool AsksToReload(const siginfo_t& info) const {
    return info.si_code <= 0 && (ignored_ || !had_terminal_ || HasTerminal());
  }
  // Whether a SIGHUP that asks for no reload ends the run.
  bool EndsTheRun() const { return !ignored_; }

 private:
  static bool HasTerminal() {
    return FileDescriptor(open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)).get() >=
           0;
  }
  const bool had_terminal_, ignored_;
};

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_HANGUP_H_
