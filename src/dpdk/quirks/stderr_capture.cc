// SPDX-License-Identifier: BSD-3-Clause
// File descriptor 2 goes to a memory file for a while, and 1 nowhere: libxdp and libbpf know no
// other way to be quiet. Main thread.

#include "src/dpdk/quirks/stderr_capture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace twinpath {
namespace {

int holding = -1;  // the memory file; -1: nobody holds

}  // namespace

StderrCapture::StderrCapture() {
  held_ = memfd_create("held-output", MFD_CLOEXEC);
  real_ = held_ < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (real_ < 0) return;  // then it is not held
  std::fflush(stderr);
  dup2(held_, STDERR_FILENO);
  holding = held_;
  real_stdout_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  const int nowhere = real_stdout_ < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  std::fflush(stdout);
  dup2(nowhere, STDOUT_FILENO);
  close(nowhere);
}

StderrCapture::~StderrCapture() {
  if (real_ >= 0) {
    std::fflush(stderr);
    dup2(real_, STDERR_FILENO);
    close(real_);
    holding = -1;
  }
  if (held_ >= 0) close(held_);
  if (real_stdout_ >= 0) {
    std::fflush(stdout);
    dup2(real_stdout_, STDOUT_FILENO);
    close(real_stdout_);
  }
}

std::string StderrCapture::LastLine() {
  if (holding < 0) return "";
  std::fflush(stderr);
  std::string text;
  char part[4096];
  for (ssize_t n; (n = pread(holding, part, sizeof(part), static_cast<off_t>(text.size()))) > 0;)
    text.append(part, static_cast<size_t>(n));
  std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  return lines.empty() ? "" : absl::StrCat(" (", lines.back(), ")");
}

}  // namespace twinpath
