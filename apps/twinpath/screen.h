// SPDX-License-Identifier: BSD-3-Clause
// A terminal that is redrawn in place: ANSI's alternate screen while this lives, and what was there
// before afterwards. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SCREEN_H_
#define TWINPATH_APPS_TWINPATH_SCREEN_H_

#include <cstddef>
#include <string>

namespace twinpath {

class Screen {
 public:
  // Whether standard output is a terminal that understands this.
  static bool Usable();

  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  // Of the terminal, as it is now.
  size_t columns() const;

  // Shows `text` in place of what was shown; lines that do not fit the terminal's height are
  // counted in the last one.
  void Show(const std::string& text);
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SCREEN_H_
