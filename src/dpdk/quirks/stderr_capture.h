// SPDX-License-Identifier: BSD-3-Clause
// Captures the output of EAL, the PMDs and their libraries on stderr, and EAL's usage text on
// stdout, so that set-up prints one clear error or none. One capture at a time: on the main thread,
// or on the control thread while the main thread is an lcore.

#ifndef TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
#define TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_

#include <string>

namespace twinpath {

class StderrCapture {
 public:
  StderrCapture();
  // Discards the captured text. If the process aborts before, the text goes to the real stderr.
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  // Returns the last captured line, for the end of an error: " (EAL: ...)". Empty if nothing was
  // captured or no capture is active.
  static std::string LastLine();

 private:
  int real_ = -1;
  int real_stdout_ = -1;
  int captured_ = -1;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
