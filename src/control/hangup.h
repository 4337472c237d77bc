// SPDX-License-Identifier: BSD-3-Clause
// What a SIGHUP means: somebody's wish that the policy's file be read again, or that the terminal
// is gone, which ends the program unless it was started to outlive it (nohup(1)). One thread.

#ifndef TWINPATH_CONTROL_HANGUP_H_
#define TWINPATH_CONTROL_HANGUP_H_

#include <fcntl.h>
#include <signal.h>

#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Hangup {
 public:
  // To be made when the program starts.
  Hangup() : had_terminal_(HasTerminal()), ignored_(Ignored()) {}

  // Whether the program was started with SIGHUP ignored. A signal that is blocked comes all the
  // same.
  static bool Ignored() {
    struct sigaction action = {};
    sigaction(SIGHUP, nullptr, &action);
    return action.sa_handler == SIG_IGN;
  }

  // True where a process sent it. The kernel sends its own (sigaction(2): si_code above 0) when a
  // terminal goes; a shell then passes it on to its jobs, which a process sends, too: so it is
  // asked whether the terminal that was there is still there.
  bool AsksToReload(const siginfo_t& info) const {
    return info.si_code <= 0 && (ignored_ || !had_terminal_ || HasTerminal());
  }
  // Of one that does not ask for that.
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
