// SPDX-License-Identifier: BSD-3-Clause
// A text is a number only as a whole, and only in range.

#include "apps/command_line.h"

#include <charconv>
#include <cstdint>
#include <system_error>

#include "src/config/json/json_document.h"

namespace twinpath {

std::string WrongSeconds(const std::string& text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  // NaN fails both comparisons.
  if (error == std::errc() && stop == end && seconds >= 1e-3 && seconds <= 1e9) return "";
  return std::string(
      FoundError("", "", Quote(text), "a number of seconds from 0.001 to 1000000000").message());
}

std::string WrongCount(const std::string& text) {
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && stop == end && count > 0) return "";
  return std::string(
      FoundError("", "", Quote(text), "an integer from 1 to 18446744073709551615").message());
}

}  // namespace twinpath
