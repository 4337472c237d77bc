// SPDX-License-Identifier: BSD-3-Clause
// The tables of a splicer's summary. Pure functions on the caller's thread.

#ifndef TWINPATH_SPLICE_TABLE_H_
#define TWINPATH_SPLICE_TABLE_H_

#include <cstddef>
#include <string>

#include "nlohmann/json.hpp"

namespace twinpath::splice {

// Targets, counters and connections, in `width` columns (80 to 100).
std::string SummaryTable(const nlohmann::ordered_json& summary, size_t width);

// Bits per second of the connections that moved most between two summaries of one run, and of all.
// Empty where no time passed between the two.
std::string RateTable(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                      size_t width);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_TABLE_H_
