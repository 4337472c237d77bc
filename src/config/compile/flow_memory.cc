// SPDX-License-Identifier: BSD-3-Clause
// Reads a size. Pure functions.

#include "src/config/compile/flow_memory.h"

#include <charconv>
#include <string>

#include "src/config/json/json_document.h"

namespace twinpath {

absl::StatusOr<uint64_t> ParseFlowMemory(std::string_view text, std::string_view place) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  int shift = -1;
  if (unit.empty()) shift = 0;
  if (unit == "KiB") shift = 10;
  if (unit == "MiB") shift = 20;
  if (unit == "GiB") shift = 30;
  if (error != std::errc() || shift < 0 || number > kMaxFlowMemory >> shift ||
      number << shift < kMinFlowMemory)
    return FoundError(std::string(place), "", Quote(text), kFlowMemoryAllowed);
  return number << shift;
}

}  // namespace twinpath
