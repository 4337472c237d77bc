// SPDX-License-Identifier: BSD-3-Clause
// A terminal that is redrawn in place. Shows the alternate screen while this object exists, then
// restores the former content. Main thread.

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

  // Shows `text` instead of the former text. If not all lines fit, the last row says how many are
  // missing.
  void Show(const std::string& text);
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SCREEN_H_
