// SPDX-License-Identifier: BSD-3-Clause
// Captures what EAL, the PMDs and their libraries write to stderr, and EAL's usage text on stdout,
// so that set-up ends with one clear error or with none. One capture at a time: of the main thread
// or, while that is an lcore, of the control thread.

#ifndef TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
#define TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_

#include <string>

namespace twinpath {

class StderrCapture {
 public:
  StderrCapture();
  // Discards what was captured. Where the process aborts before, all of it goes to stderr.
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  // The last captured line, for the end of an error: " (EAL: ...)". Empty: nothing was captured, or
  // no capture is active.
  static std::string LastLine();

 private:
  int real_ = -1;
  int real_stdout_ = -1;
  int captured_ = -1;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
