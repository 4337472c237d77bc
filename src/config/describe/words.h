// SPDX-License-Identifier: BSD-3-Clause
// Formats numbers for people. Pure functions.

#ifndef TWINPATH_CONFIG_DESCRIBE_WORDS_H_
#define TWINPATH_CONFIG_DESCRIBE_WORDS_H_

#include <cstdint>
#include <string>

namespace twinpath {

// A share of 0 to 1 as "1 %", with as few digits as needed, at most six.
std::string PercentText(double share);

// " (1 in 100)" for a share of at most one half; otherwise empty.
std::string OneInText(double share);

// "1,000,000"
std::string Grouped(uint64_t number);

// "2 min", "250 ms": nanoseconds in the largest unit that divides them.
std::string DurationText(uint64_t ns);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_DESCRIBE_WORDS_H_
