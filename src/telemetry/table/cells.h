// SPDX-License-Identifier: BSD-3-Clause
// Reads cells of the tables from a summary's entries. Pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_TABLE_CELLS_H_
#define TWINPATH_TELEMETRY_TABLE_CELLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace twinpath {

inline constexpr size_t kNameWidth = 32;  // characters of a name
inline constexpr size_t kMaxRows = 40;    // of a list; the number of further rows is shown

// The text under `key`, in at most `width` characters; empty where there is none.
std::string Text(const nlohmann::ordered_json& object, const char* key, size_t width);

// The number under `key`; 0 where there is none.
uint64_t Count(const nlohmann::ordered_json& object, const std::string& key);

// The indexes of the `kMaxRows` entries of `list` with the greatest `key`, in the list's order.
std::vector<size_t> Busiest(const nlohmann::ordered_json& list, const char* key);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_TABLE_CELLS_H_
