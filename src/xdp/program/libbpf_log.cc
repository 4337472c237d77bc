// SPDX-License-Identifier: BSD-3-Clause
// Installs libbpf's print callback.

#include "src/xdp/program/libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <deque>

namespace twinpath::xdp {
namespace {

constexpr size_t kLines = 4, kLineLength = 240;

std::deque<std::string>& Lines() {
  thread_local std::deque<std::string> lines;
  return lines;
}

int Keep(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[kLineLength];
  std::vsnprintf(line, sizeof(line), format, arguments);
  std::string text = line;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (Lines().size() == kLines) Lines().pop_front();
  Lines().push_back(text);
  return 0;
}

}  // namespace

void CaptureLibbpfLog() { libbpf_set_print(Keep); }

std::string TakeLibbpfLog() {
  std::string all;
  for (const std::string& line : Lines()) all += (all.empty() ? "" : "; ") + line;
  Lines().clear();
  return all;
}

}  // namespace twinpath::xdp
