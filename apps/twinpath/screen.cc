// SPDX-License-Identifier: BSD-3-Clause
// A terminal that is redrawn in place (ECMA-48, and xterm's private modes 1049, 25 and 7). Main
// thread.

#include "apps/twinpath/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

winsize Size() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    size.ws_row = 24;
    size.ws_col = 80;
  }
  return size;
}

}  // namespace

bool Screen::Usable() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) && term && *term && std::string_view(term) != "dumb";
}

// Shows the alternate screen, hides the cursor, and cuts long lines instead of wrapping them.
Screen::Screen() { std::cout << "\033[?1049h\033[?25l\033[?7l" << std::flush; }
Screen::~Screen() { std::cout << "\033[?7h\033[?25h\033[?1049l" << std::flush; }

size_t Screen::columns() const { return Size().ws_col; }

void Screen::Show(const std::string& text) {
  const size_t rows = Size().ws_row;
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  const size_t shown = lines < rows ? lines : rows - std::min<size_t>(rows, 2);
  std::string frame = "\033[H";
  size_t at = 0;
  for (size_t line = 0; line < shown; ++line) {
    const size_t end = text.find('\n', at);
    absl::StrAppend(&frame, text.substr(at, end - at), "\033[K\r\n");
    at = end + 1;
  }
  if (shown < lines) absl::StrAppend(&frame, "(", lines - shown, " more lines)");
  std::cout << frame << "\033[J" << std::flush;
}

}  // namespace twinpath
