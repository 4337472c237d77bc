// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/compare/output.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "src/compare/plan/schedule.h"

namespace twinpath {
namespace {

constexpr size_t kUsualWidth = 120, kLeastWidth = 80;

}  // namespace

size_t OutputWidth(int fd) {
  winsize size = {};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
             ? std::max<size_t>(size.ws_col, kLeastWidth)
             : kUsualWidth;
}

std::string UtcNow() {
  const std::time_t now = std::time(nullptr);
  std::tm time = {};
  gmtime_r(&now, &time);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &time);
  return text;
}

absl::Status ReplaceFile(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  std::ofstream stream(part, std::ios::trunc | std::ios::binary);
  stream << text;
  if (!stream.flush())
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write ", part, ": ", std::strerror(errno)));
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path, ": ", error.message()));
}

void ProgressLine::Show(const std::string& what, double elapsed, size_t done, size_t all) const {
  const std::string text = ProgressText(what, elapsed, done, all, OutputWidth(STDERR_FILENO) - 1);
  std::cerr << (terminal_ ? "\r\x1b[K" : "") << text << (terminal_ ? "" : "\n") << std::flush;
}

void ProgressLine::Clear() const {
  if (terminal_) std::cerr << "\r\x1b[K" << std::flush;
}

}  // namespace twinpath
