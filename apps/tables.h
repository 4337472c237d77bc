// SPDX-License-Identifier: BSD-3-Clause
// The tables of a summary, for every program. Pure functions; any thread.

#ifndef TWINPATH_APPS_TABLES_H_
#define TWINPATH_APPS_TABLES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/telemetry/client/client.h"

namespace twinpath {

// Returns the tables that --stats-interval, the end of a run and `twinpath stats` print. `width` is
// that of the terminal, in columns, 80 or more.
std::string ProgramTable(const nlohmann::ordered_json& summary, size_t width = 100);

// Returns the rates between two summaries of one run, or "" if no time passed between them.
std::string ProgramRates(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                         size_t width = 100);

// Returns the sections of the summaries of all programs that have some.
std::vector<SectionNames> ProgramSections();

}  // namespace twinpath

#endif  // TWINPATH_APPS_TABLES_H_
