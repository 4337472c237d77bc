// SPDX-License-Identifier: BSD-3-Clause
// The kinds of value that several keys of a policy share: numbers, ranges, probabilities and
// durations. Errors name the pointer, what was found and what is allowed. Control thread, at
// set-up.

#ifndef TWINPATH_CONFIG_JSON_VALUES_H_
#define TWINPATH_CONFIG_JSON_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/json/probability.h"

namespace twinpath {

// All of `text` as a number of the given base, at most `max`; a decimal one without leading zeros.
std::optional<uint64_t> ReadNumber(std::string_view text, uint64_t max, int base = 10);

struct NumberRange {
  uint64_t first = 0, last = 0;  // inclusive; first is at most last
};

// 53, "53" or "50-59", of numbers up to `max`. `allowed` words what may stand here.
absl::StatusOr<NumberRange> ReadRange(const JsonCursor& c, uint64_t max,
                                      const std::string& allowed);

// A number from 0 to 1, or text that ParseProbability takes.
absl::StatusOr<Probability> ReadProbability(const JsonCursor& c);

// "10s" and the like, in nanoseconds: a whole number of us, ms, s, m or h, up to ten years of 365
// days.
std::optional<uint64_t> ReadDurationText(std::string_view text);

// The same, from `min_ns` on. `allowed` as above.
absl::StatusOr<uint64_t> ReadDuration(const JsonCursor& c, uint64_t min_ns,
                                      const std::string& allowed);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_VALUES_H_
