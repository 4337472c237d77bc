// SPDX-License-Identifier: BSD-3-Clause
// What the subcommands that measure write: files, the progress line, the time of the start. Main
// thread.

#ifndef TWINPATH_APPS_TWINPATH_COMPARE_OUTPUT_H_
#define TWINPATH_APPS_TWINPATH_COMPARE_OUTPUT_H_

#include <unistd.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"

namespace twinpath {

// The columns of the terminal at `fd`, at least 80; 120 where it is none.
size_t OutputWidth(int fd);

// Now, as "2026-01-31T12:00:00Z".
std::string UtcNow();

// Replaces the file at once, so that a kill leaves the old file or the new one.
absl::Status ReplaceFile(const std::string& path, const std::string& text);

// The bar on a terminal's last line, or lines where standard error is none.
class ProgressLine {
 public:
  void Show(const std::string& what, double elapsed, size_t done, size_t all) const;
  void Clear() const;

 private:
  bool terminal_ = isatty(STDERR_FILENO) != 0;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_COMPARE_OUTPUT_H_
