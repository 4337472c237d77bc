// SPDX-License-Identifier: BSD-3-Clause
// The seconds of a command line: --duration, --stats-interval. A pure function.

#ifndef TWINPATH_CONFIG_SECONDS_H_
#define TWINPATH_CONFIG_SECONDS_H_

#include <string>

namespace twinpath {

// What is wrong with `text` as a number of seconds from 0.001 to 1e9; empty: nothing. As CLI11's
// check() wants it, whose own ranges let "nan" through.
std::string WrongSeconds(const std::string& text);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_SECONDS_H_
