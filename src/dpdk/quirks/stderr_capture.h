// SPDX-License-Identifier: BSD-3-Clause
// Holds back what EAL, the PMDs and the libraries beneath them write to stderr, and EAL's usage on
// stdout, so that set-up ends in one clear error or in none. One at a time: the main thread, or
// while that is an lcore the control thread.

#ifndef TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
#define TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_

#include <string>

namespace twinpath {

class StderrCapture {
 public:
  StderrCapture();
  // What was held is forgotten.
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  // The last line that is held, for the end of an error: " (EAL: ...)". Empty where there is none,
  // or where nobody holds.
  static std::string LastLine();

 private:
  int real_ = -1;
  int real_stdout_ = -1;
  int held_ = -1;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_STDERR_CAPTURE_H_
