// SPDX-License-Identifier: BSD-3-Clause
// The two meanings of SIGHUP, the same in every program: a request to read the policy's file again,
// which changes nothing in a program without a policy; or the terminal has hung up. The latter ends
// the program, unless it was started with SIGHUP ignored (nohup(1)). One thread.

#ifndef TWINPATH_CONTROL_HANGUP_H_
#define TWINPATH_CONTROL_HANGUP_H_

#include <fcntl.h>
#include <signal.h>

#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Hangup {
 public:
  // To be constructed when the program starts.
  Hangup() : had_terminal_(HasTerminal()), ignored_(Ignored()) {}

  // Whether the program was started with SIGHUP ignored. sigtimedwait still gets a blocked signal.
  static bool Ignored() {
    struct sigaction action = {};
    sigaction(SIGHUP, nullptr, &action);
    return action.sa_handler == SIG_IGN;
  }

  // Whether a process asks for a reload. The kernel sends SIGHUP (sigaction(2): si_code above 0)
  // when a terminal hangs up. A shell then sends it to its jobs, as a process: so this also checks
  // whether the terminal is still there.
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
