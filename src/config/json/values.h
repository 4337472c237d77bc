// SPDX-License-Identifier: BSD-3-Clause
// Reads values that several keys of a policy share: numbers, ranges, probabilities and durations.
// Errors name the pointer, what was found and what is allowed. Control thread, at set-up.

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

// Reads the whole `text` as a number of the given base, at most `max`. A decimal number must not
// have leading zeros.
std::optional<uint64_t> ReadNumber(std::string_view text, uint64_t max, int base = 10);

struct NumberRange {
  uint64_t first = 0, last = 0;  // inclusive; first is at most last
};

// Reads 53, "53" or "50-59", with numbers up to `max`. `allowed` is for the error.
absl::StatusOr<NumberRange> ReadRange(const JsonCursor& c, uint64_t max,
                                      const std::string& allowed);

// Reads a number from 0 to 1, or a text for ParseProbability.
absl::StatusOr<Probability> ReadProbability(const JsonCursor& c);

// Reads a duration such as "10s" and returns nanoseconds. The text is an integer with us, ms, s, m
// or h; at most ten years of 365 days.
std::optional<uint64_t> ReadDurationText(std::string_view text);

// Reads a duration of at least `min_ns`. `allowed` is for the error.
absl::StatusOr<uint64_t> ReadDuration(const JsonCursor& c, uint64_t min_ns,
                                      const std::string& allowed);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_VALUES_H_
