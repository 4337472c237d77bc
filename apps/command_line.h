// SPDX-License-Identifier: BSD-3-Clause
// Checks of a command line's numbers, for CLI11's check(): its own ranges accept "nan" and print
// the limits of a double. Pure functions.

#ifndef TWINPATH_APPS_COMMAND_LINE_H_
#define TWINPATH_APPS_COMMAND_LINE_H_

#include <string>

namespace twinpath {

// Returns what is wrong with `text` as a number of seconds from 0.001 to 1e9 (--duration,
// --stats-interval), or as a count from 1 (--packets). Empty: nothing is wrong.
std::string WrongSeconds(const std::string& text);
std::string WrongCount(const std::string& text);

}  // namespace twinpath

#endif  // TWINPATH_APPS_COMMAND_LINE_H_
