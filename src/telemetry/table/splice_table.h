// SPDX-License-Identifier: BSD-3-Clause
// The tables of a splicer's summary. Pure functions on the caller's thread.

#ifndef TWINPATH_TELEMETRY_TABLE_SPLICE_TABLE_H_
#define TWINPATH_TELEMETRY_TABLE_SPLICE_TABLE_H_

#include <cstddef>
#include <string>

#include "nlohmann/json.hpp"

namespace twinpath {

// What SummaryTable shows of path "splice".
std::string SpliceTable(const nlohmann::ordered_json& summary, size_t width);

// What RateTable shows of it: the connections that moved most in `seconds`, and all.
std::string SpliceRateTable(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                            double seconds, size_t width);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_TABLE_SPLICE_TABLE_H_
