// SPDX-License-Identifier: BSD-3-Clause
// Numbers as people read them, in one form in every program: tables, logs, reports and errors. Pure
// functions; any thread.

#ifndef TWINPATH_TEXT_WORDS_H_
#define TWINPATH_TEXT_WORDS_H_

#include <cstdint>
#include <string>

namespace twinpath {

// A share of 0 to 1 as "1 %", with as few digits as needed, at most `digits`.
std::string PercentText(double share, int digits = 6);

// A change by a share as "+3.4 %", with at most three digits.
std::string ChangeText(double change);

// " (1 in 100)" for a share of at most one half; otherwise empty.
std::string OneInText(double share);

// "1,000,000"
std::string Grouped(uint64_t number);

// "2 min", "250 ms": nanoseconds in the largest unit that divides them.
std::string DurationText(uint64_t ns);

}  // namespace twinpath

#endif  // TWINPATH_TEXT_WORDS_H_
