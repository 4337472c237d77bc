// SPDX-License-Identifier: BSD-3-Clause
// Parses --reset-after, and draws the fates of connections.

#include "src/splice/chaos.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/policy/random.h"

namespace twinpath::splice {
namespace {

constexpr uint64_t kMaxBytes = 1ULL << 50;
constexpr double kMinSeconds = 1e-3, kMaxSeconds = 1e6;

absl::Status WrongResetAfter(const std::string& text) {
  return absl::InvalidArgumentError(
      absl::StrCat("--reset-after: ", FoundError("", "", Quote(text),
                                                 "bytes (65536, 64K, 1M-16M), 1 to 2^50, or a time "
                                                 "(1.5s, 100ms, 1s-30s), 1ms to 1000000s")
                                          .message()));
}

struct Quantity {
  ResetAfter::Unit unit = ResetAfter::Unit::kNever;  // kNever: the text is wrong
  uint64_t amount = 0;
};

Quantity ParseTime(std::string_view number, double scale) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return {};
  const double seconds = value * scale;
  if (!(seconds >= kMinSeconds && seconds <= kMaxSeconds)) return {};
  return {ResetAfter::Unit::kMicroseconds, static_cast<uint64_t>(std::llround(seconds * 1e6))};
}

Quantity ParseQuantity(std::string_view text) {
  if (text.size() >= 2 && text.substr(text.size() - 2) == "ms")
    return ParseTime(text.substr(0, text.size() - 2), 1e-3);
  if (!text.empty() && text.back() == 's') return ParseTime(text.substr(0, text.size() - 1), 1);
  unsigned shift = 0;
  if (!text.empty() && text.back() == 'K') shift = 10;
  if (!text.empty() && text.back() == 'M') shift = 20;
  if (!text.empty() && text.back() == 'G') shift = 30;
  if (shift != 0) text.remove_suffix(1);
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (bytes == 0 || bytes > kMaxBytes >> shift) return {};
  return {ResetAfter::Unit::kBytes, bytes << shift};
}

// Maps a draw to low..high inclusive, by the high word of draw * range, as in Lemire, "Fast Random
// Integer Generation in an Interval" (2019). The result is uniform with a bias of at most
// range / 2^64.
uint64_t MapToRange(uint64_t low, uint64_t high, uint64_t draw) {
  const uint64_t range = high - low + 1;
  const uint64_t top = (draw >> 32) * (range >> 32);
  const uint64_t middle = (draw >> 32) * (range & UINT32_MAX);
  const uint64_t other = (draw & UINT32_MAX) * (range >> 32);
  const uint64_t bottom = (draw & UINT32_MAX) * (range & UINT32_MAX);
  const uint64_t carry = ((middle & UINT32_MAX) + (other & UINT32_MAX) + (bottom >> 32)) >> 32;
  return low + top + (middle >> 32) + (other >> 32) + carry;
}

// Draw number `n` of the stream called `name`.
uint64_t Draw(uint64_t seed, std::string_view name, uint64_t n) {
  __u64 a = 0, b = 0;
  tp_rule_key(seed, tp_name_hash(name.data(), name.size()), &a, &b);
  return tp_draw(a, b, n);
}

}  // namespace

absl::StatusOr<ResetAfter> ParseResetAfter(const std::string& text) {
  const size_t dash = text.find('-');
  const Quantity low = ParseQuantity(std::string_view(text).substr(0, dash));
  const Quantity high =
      dash == std::string::npos ? low : ParseQuantity(std::string_view(text).substr(dash + 1));
  if (low.unit == ResetAfter::Unit::kNever || high.unit != low.unit || high.amount < low.amount)
    return WrongResetAfter(text);
  return ResetAfter{low.unit, low.amount, high.amount};
}

ConnectionFate FateOf(const ChaosPlan& plan, uint64_t n) {
  ConnectionFate fate;
  if (plan.refuse.always ||
      (!plan.refuse.never && Draw(plan.seed, "splice refuse", n) < plan.refuse.threshold)) {
    fate.refused = true;
    return fate;
  }
  if (plan.reset_after.unit == ResetAfter::Unit::kNever) return fate;
  const uint64_t amount =
      MapToRange(plan.reset_after.low, plan.reset_after.high, Draw(plan.seed, "splice reset", n));
  if (plan.reset_after.unit == ResetAfter::Unit::kBytes)
    fate.byte_limit = amount;
  else
    fate.lifetime = std::chrono::microseconds(amount);
  return fate;
}

}  // namespace twinpath::splice
