// SPDX-License-Identifier: BSD-3-Clause
// Redirects file descriptor 2 to a memory file, and 1 to /dev/null. There is no other way to
// silence libxdp and libbpf. Main thread.

#include "src/dpdk/quirks/stderr_capture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace twinpath {
namespace {

int capturing = -1;  // the memory file; -1: no capture is active
int real_stderr = -1;

// A library that aborts (rte_panic) has written its reason to stderr: prints that. Uses only calls
// that are allowed in a signal handler.
void PrintAndAbort(int) {
  char part[4096];
  off_t at = 0;
  for (ssize_t n; (n = pread(capturing, part, sizeof(part), at)) > 0; at += n)
    if (write(real_stderr, part, static_cast<size_t>(n)) < 0) break;
  signal(SIGABRT, SIG_DFL);  // abort() raises it again when this returns
}

}  // namespace

StderrCapture::StderrCapture() {
  captured_ = memfd_create("captured-stderr", MFD_CLOEXEC);
  real_ = captured_ < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (real_ < 0) return;  // stderr stays as it is
  std::fflush(stderr);
  dup2(captured_, STDERR_FILENO);
  capturing = captured_;
  real_stderr = real_;
  signal(SIGABRT, PrintAndAbort);
  real_stdout_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  const int null = real_stdout_ < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) return;
  std::fflush(stdout);
  dup2(null, STDOUT_FILENO);
  close(null);
}

StderrCapture::~StderrCapture() {
  if (real_ >= 0) {
    std::fflush(stderr);
    signal(SIGABRT, SIG_DFL);
    dup2(real_, STDERR_FILENO);
    close(real_);
    capturing = -1;
  }
  if (captured_ >= 0) close(captured_);
  if (real_stdout_ >= 0) {
    std::fflush(stdout);
    dup2(real_stdout_, STDOUT_FILENO);
    close(real_stdout_);
  }
}

std::string StderrCapture::LastLine() {
  if (capturing < 0) return "";
  std::fflush(stderr);
  std::string text;
  char part[4096];
  for (ssize_t n; (n = pread(capturing, part, sizeof(part), static_cast<off_t>(text.size()))) > 0;)
    text.append(part, static_cast<size_t>(n));
  std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  return lines.empty() ? "" : absl::StrCat(" (", lines.back(), ")");
}

}  // namespace twinpath
