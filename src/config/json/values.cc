// SPDX-License-Identifier: BSD-3-Clause
// Numbers, ranges, probabilities and durations of a policy. Control thread, at set-up.

#include "src/config/json/values.h"

#include <charconv>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

constexpr uint64_t kTenYearsNs = uint64_t{10} * 365 * 24 * 3600 * 1'000'000'000;

struct Unit {
  std::string_view name;
  uint64_t ns;
};
// A unit that ends in another unit comes before it.
constexpr Unit kUnits[] = {{"us", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

}  // namespace

std::optional<uint64_t> ReadNumber(std::string_view text, uint64_t max, int base) {
  if (base == 10 && text.size() > 1 && text[0] == '0') return std::nullopt;  // octal elsewhere
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number > max) {
    return std::nullopt;
  }
  return number;
}

absl::StatusOr<NumberRange> ReadRange(const JsonCursor& c, uint64_t max,
                                      const std::string& allowed) {
  std::string text = c.Is(Kind::kUnsigned) || c.Is(Kind::kString) ? c.value().text : "";
  size_t dash = text.find('-');
  std::optional<uint64_t> first = ReadNumber(std::string_view(text).substr(0, dash), max);
  std::optional<uint64_t> last = first;
  if (dash != std::string::npos) last = ReadNumber(std::string_view(text).substr(dash + 1), max);
  if (!first || !last) return c.Wrong(allowed);
  if (*first > *last) {
    return c.Error(absl::StrCat(Quote(text), ", a range that runs backwards"),
                   absl::StrCat("\"", *last, "-", *first, "\""));
  }
  return NumberRange{*first, *last};
}

absl::StatusOr<Probability> ReadProbability(const JsonCursor& c) {
  if (!c.Is(Kind::kString) && !c.Is(Kind::kUnsigned) && !c.Is(Kind::kNegative) &&
      !c.Is(Kind::kReal)) {
    return c.Wrong(kProbabilityAllowed);
  }
  absl::StatusOr<Probability> probability = ParseProbability(c.value().text);
  if (!probability.ok()) return c.Wrong(kProbabilityAllowed);
  return probability;
}

std::optional<uint64_t> ReadDurationText(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.size() < unit.name.size()) continue;
    const size_t digits = text.size() - unit.name.size();
    if (text.substr(digits) != unit.name) continue;
    std::optional<uint64_t> number = ReadNumber(text.substr(0, digits), kTenYearsNs / unit.ns);
    if (!number) return std::nullopt;
    return *number * unit.ns;
  }
  return std::nullopt;
}

absl::StatusOr<uint64_t> ReadDuration(const JsonCursor& c, uint64_t min_ns,
                                      const std::string& allowed) {
  std::optional<uint64_t> ns;
  if (c.Is(Kind::kString)) ns = ReadDurationText(c.value().text);
  if (!ns || *ns < min_ns) return c.Wrong(allowed);
  return *ns;
}

}  // namespace twinpath
