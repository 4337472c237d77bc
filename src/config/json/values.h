// SPDX-License-Identifier: BSD-3-Clause
// Values that several keys of a policy share: numbers, ranges, probabilities and durations. Errors
// name the pointer, what was found and what is allowed. Control thread, at set-up.

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

// The whole `text` as a number of the given base, at most `max`. A decimal has no leading zeros.
std::optional<uint64_t> ReadNumber(std::string_view text, uint64_t max, int base = 10);

struct NumberRange {
  uint64_t first = 0, last = 0;  // inclusive; first is at most last
};

// 53, "53" or "50-59", with numbers up to `max`. `allowed` is the text of the error.
absl::StatusOr<NumberRange> ReadRange(const JsonCursor& c, uint64_t max,
                                      const std::string& allowed);

// A number from 0 to 1, or a text that ParseProbability reads.
absl::StatusOr<Probability> ReadProbability(const JsonCursor& c);

// A duration such as "10s", in nanoseconds: a whole number of us, ms, s, m or h, at most ten years
// of 365 days.
std::optional<uint64_t> ReadDurationText(std::string_view text);

// A duration of at least `min_ns`. `allowed` as above.
absl::StatusOr<uint64_t> ReadDuration(const JsonCursor& c, uint64_t min_ns,
                                      const std::string& allowed);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_VALUES_H_
