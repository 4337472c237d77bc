// SPDX-License-Identifier: BSD-3-Clause
// Reads the cells of the tables.

#include "src/telemetry/table/cells.h"

#include <algorithm>
#include <numeric>

#include "src/telemetry/table/text_table.h"

namespace twinpath {

using nlohmann::ordered_json;

std::string Text(const ordered_json& object, const char* key, size_t width) {
  return FitText(object.value(key, std::string()), width);
}

uint64_t Count(const ordered_json& object, const std::string& key) {
  return object.value(key, uint64_t{0});
}

std::vector<size_t> Busiest(const ordered_json& list, const char* key) {
  std::vector<size_t> order(list.size());
  std::iota(order.begin(), order.end(), 0);
  if (order.size() <= kMaxRows) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return Count(list[a], key) > Count(list[b], key); });
  order.resize(kMaxRows);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace twinpath
