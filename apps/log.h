// SPDX-License-Identifier: BSD-3-Clause
// The log of a program: lines on standard error, "TIME [SECONDS] PROGRAM: TEXT". TIME is the local
// wall clock. SECONDS are those of CLOCK_MONOTONIC, which the kernel's log uses, too, and which
// does not jump when somebody sets the clock. Under systemd, whose journal adds both, a line is
// "PROGRAM: TEXT". Any thread.

#ifndef TWINPATH_APPS_LOG_H_
#define TWINPATH_APPS_LOG_H_

#include <string>
#include <utility>

namespace twinpath {

class Log {
 public:
  // Checks once whether standard error is connected to the journal.
  explicit Log(std::string program);

  // Writes one line, in one write, so that readers get whole lines.
  void operator()(const std::string& text) const;

 private:
  std::string program_;
  bool stamped_;  // whether lines begin with the times
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_LOG_H_
