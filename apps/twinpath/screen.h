// SPDX-License-Identifier: BSD-3-Clause
// A terminal that is redrawn in place: shows the alternate screen while this object exists, then
// restores what was there before. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SCREEN_H_
#define TWINPATH_APPS_TWINPATH_SCREEN_H_

#include <cstddef>
#include <string>

namespace twinpath {

class Screen {
 public:
  // Whether standard output is a terminal that supports this.
  static bool Usable();

  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  // The current width of the terminal.
  size_t columns() const;

  // Replaces what is shown by `text`. The last line counts the lines that do not fit the terminal.
  void Show(const std::string& text);
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SCREEN_H_
