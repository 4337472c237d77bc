// SPDX-License-Identifier: BSD-3-Clause
// Probabilities. Plain values; no thread.

#ifndef TWINPATH_CONFIG_JSON_PROBABILITY_H_
#define TWINPATH_CONFIG_JSON_PROBABILITY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace twinpath {

// A probability in [0, 1]: as written in a policy, and as the 64-bit threshold that datapaths
// compare draws with. 0 and 1 are exact.
struct Probability {
  std::string text = "0%";  // as written: "1%", 0.01
  double value = 0;         // for people
  uint64_t threshold = 0;   // of 2^64; `never` and `always` stand for 0 and 2^64
  bool never = true;
  bool always = false;

  // Compares the values for a datapath, not the texts: "1%" equals 0.01.
  bool operator==(const Probability& other) const {
    return threshold == other.threshold && never == other.never && always == other.always;
  }
};

inline constexpr char kProbabilityAllowed[] =
    "a fraction from 0 to 1 or a percentage from \"0%\" to \"100%\"";

// Reads "1%", "0.01" or "1e-4". The decimal is shifted, never divided, so that "0.1%" and 0.001 are
// the same threshold. InvalidArgument if the text is none of these or is outside [0, 1].
absl::StatusOr<Probability> ParseProbability(std::string_view text);

// 1 - p, exactly.
Probability Complement(const Probability& p);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_PROBABILITY_H_
