// SPDX-License-Identifier: BSD-3-Clause
// Converts decimal text to a 64-bit threshold. The digits decide whether a rate is 0, 1 or more,
// before any rounding. Pure functions.

#include "src/config/json/probability.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/json/json_document.h"

namespace twinpath {
namespace {

// 0.DIGITS x 10^exponent; no leading or trailing zeros. No digits: zero.
struct Decimal {
  std::string digits;
  int64_t exponent = 0;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// An exponent such as "e-4", or nothing. A very large exponent is clamped.
std::optional<int64_t> ReadExponent(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  text.remove_prefix(1);
  bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  int64_t exponent = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    if (exponent < 1'000'000'000) exponent = exponent * 10 + (c - '0');
  }
  return negative ? -exponent : exponent;
}

std::optional<Decimal> ReadDecimal(std::string_view text) {
  Decimal decimal;
  size_t i = 0;
  int64_t point = 0;
  for (; i < text.size() && IsDigit(text[i]); i++) decimal.digits += text[i];
  point = static_cast<int64_t>(i);
  if (i < text.size() && text[i] == '.') {
    for (i++; i < text.size() && IsDigit(text[i]); i++) decimal.digits += text[i];
  }
  if (decimal.digits.empty()) return std::nullopt;
  std::optional<int64_t> exponent = ReadExponent(text.substr(i));
  if (!exponent) return std::nullopt;

  size_t leading = decimal.digits.find_first_not_of('0');
  if (leading == std::string::npos) return Decimal();
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  decimal.digits.erase(0, leading);
  decimal.exponent = point - static_cast<int64_t>(leading) + *exponent;
  return decimal;
}

// 2^64 times the decimal, rounded to nearest (half up), but never to 0 or 2^64. The decimal must be
// between 0 and 1, both excluded. The result is exact: the function doubles the fraction 64 times
// in decimal, and each carry is the next bit.
uint64_t Threshold(const Decimal& decimal) {
  if (decimal.exponent < -20) return 1;  // below 2^-64
  // A tie has at most 65 significant digits. Of further digits it matters only whether all are
  // zero.
  constexpr size_t kDigits = 100;
  std::string fraction(static_cast<size_t>(-decimal.exponent), '0');
  fraction += decimal.digits.substr(0, kDigits);
  if (decimal.digits.size() > kDigits) fraction += '1';
  uint64_t threshold = 0;
  for (int bit = 0; bit < 64; bit++) {
    int carry = 0;
    for (size_t i = fraction.size(); i-- > 0;) {
      int twice = (fraction[i] - '0') * 2 + carry;
      carry = twice / 10;
      fraction[i] = static_cast<char>('0' + twice % 10);
    }
    threshold = threshold << 1 | static_cast<uint64_t>(carry);
  }
  if (fraction[0] >= '5' && threshold != std::numeric_limits<uint64_t>::max()) threshold++;
  return std::max<uint64_t>(threshold, 1);
}

}  // namespace

absl::StatusOr<Probability> ParseProbability(std::string_view text) {
  bool percent = !text.empty() && text.back() == '%';
  std::optional<Decimal> decimal = ReadDecimal(percent ? text.substr(0, text.size() - 1) : text);
  bool one = false, above = false;
  if (decimal && !decimal->digits.empty()) {
    if (percent) decimal->exponent -= 2;
    one = decimal->exponent == 1 && decimal->digits == "1";
    above = decimal->exponent >= 1 && !one;
  }
  if (!decimal || above) {
    return FoundError("", "", Quote(text), kProbabilityAllowed);
  }
  Probability probability;
  probability.text = std::string(text);
  probability.never = decimal->digits.empty();
  probability.always = one;
  if (one) {
    probability.value = 1;
  } else if (!probability.never) {
    std::string scientific = absl::StrCat("0.", decimal->digits, "e", decimal->exponent);
    std::from_chars(scientific.data(), scientific.data() + scientific.size(), probability.value);
    probability.threshold = Threshold(*decimal);
    // A value below 2^-64 was rounded up to 2^-64.
    if (probability.threshold == 1) probability.value = std::ldexp(1, -64);
  }
  return probability;
}

Probability Complement(const Probability& p) {
  Probability complement;
  complement.never = p.always;
  complement.always = p.never;
  complement.value = complement.always ? 1 : 0;
  if (p.threshold) {
    complement.threshold = 0 - p.threshold;  // 2^64 - threshold
    complement.value = std::ldexp(static_cast<double>(complement.threshold), -64);
  }
  complement.text = absl::StrFormat("%.6g%%", complement.value * 100);
  return complement;
}

}  // namespace twinpath
