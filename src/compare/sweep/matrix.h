// SPDX-License-Identifier: BSD-3-Clause
// The matrix of a sweep: places of a policy, the values that each takes, and the policy of each
// combination. Pure; any thread.

#ifndef TWINPATH_COMPARE_SWEEP_MATRIX_H_
#define TWINPATH_COMPARE_SWEEP_MATRIX_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

inline constexpr size_t kMostCombinations = 10'000;

// One --set. `values` are JSON; `texts` are the same as the user wrote them.
struct SweepParameter {
  std::string pointer;
  std::vector<std::string> texts;
  std::vector<nlohmann::ordered_json> values;
};

// One value of each parameter, as an index into its values.
using Combination = std::vector<size_t>;

// Reads "/rules/0/loss/rate=0%,1%,5%". Commas inside of quotes, brackets and braces do not separate
// values. A value that is a JSON number, boolean, null, string, array or object is one; any other
// text is a string. InvalidArgument names the option.
absl::StatusOr<SweepParameter> ParseSweepParameter(const std::string& text);

// Checks that no place is inside another, and that there are at most kMostCombinations.
absl::Status CheckParameters(const std::vector<SweepParameter>& parameters);

// All combinations; the last parameter changes fastest.
std::vector<Combination> Combinations(const std::vector<SweepParameter>& parameters);

// "/rules/0/loss/rate=1%, /seed=2"
std::string CombinationText(const std::vector<SweepParameter>& parameters,
                            const Combination& combination);

// The policy `text`, which is JSON, with the values of the combination. The parent of each place
// must exist; its last token may be a new key of an object. InvalidArgument names the pointer, the
// value, what was found, and what is allowed.
absl::StatusOr<std::string> PolicyOf(std::string_view text,
                                     const std::vector<SweepParameter>& parameters,
                                     const Combination& combination);

// The variables that a command gets, without its policy's file: TWINPATH_SET_RULES_0_LOSS_RATE=1%.
std::vector<std::pair<std::string, std::string>> CombinationVariables(
    const std::vector<SweepParameter>& parameters, const Combination& combination);

// The values of a parameter as numbers in one unit, for an axis. Empty unless all are numbers, with
// the same unit behind them or with none.
struct NumericAxis {
  std::vector<double> values;
  std::string unit;  // "%", "ms"
};
NumericAxis NumbersOf(const SweepParameter& parameter);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_SWEEP_MATRIX_H_
