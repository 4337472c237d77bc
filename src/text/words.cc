// SPDX-License-Identifier: BSD-3-Clause
// Formats numbers for people. Pure functions.

#include "src/text/words.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace twinpath {

std::string PercentText(double share, int digits) {
  return absl::StrFormat("%.*g %%", digits, share * 100);
}

std::string ChangeText(double change) { return absl::StrFormat("%+.3g %%", change * 100); }

std::string OneInText(double share) {
  if (share > 0.5) return "";
  double n = std::round(1 / share);
  bool exact = std::fabs(n * share - 1) < 1e-9;
  return absl::StrFormat(" (%s1 in %.*g)", exact ? "" : "about ", n < 1e6 ? 6 : 3, n);
}

std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); i++) {
    if (i && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

std::string DurationText(uint64_t ns) {
  struct Unit {
    const char* name;
    uint64_t ns;
  };
  for (const Unit& unit : {Unit{"h", 3'600'000'000'000}, Unit{"min", 60'000'000'000},
                           Unit{"s", 1'000'000'000}, Unit{"ms", 1'000'000}, Unit{"us", 1'000}}) {
    if (ns % unit.ns == 0 && (ns || unit.ns == 1'000'000'000)) {
      return absl::StrCat(Grouped(ns / unit.ns), " ", unit.name);
    }
  }
  return absl::StrCat(Grouped(ns), " ns");
}

}  // namespace twinpath
