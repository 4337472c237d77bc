// SPDX-License-Identifier: BSD-3-Clause
// The tables of a summary, whichever program it is of. Pure functions; any thread.

#ifndef TWINPATH_APPS_TABLES_H_
#define TWINPATH_APPS_TABLES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/telemetry/client/client.h"

namespace twinpath {

// What --stats-interval, the end of a run and `twinpath stats` print, for a terminal of `width`
// columns (80 or more).
std::string ProgramTable(const nlohmann::ordered_json& summary, size_t width = 100);

// Rates between two summaries of one run; empty where no time passed between the two.
std::string ProgramRates(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                         size_t width = 100);

// The programs that have sections.
std::vector<SectionNames> ProgramSections();

}  // namespace twinpath

#endif  // TWINPATH_APPS_TABLES_H_
