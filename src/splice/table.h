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

// A table of bits per second between two summaries of one run: for the connections that moved most,
// and in total. Empty if no time passed between the summaries.
std::string RateTable(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                      size_t width);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_TABLE_H_
