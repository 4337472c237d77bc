// SPDX-License-Identifier: BSD-3-Clause

#include "apps/tables.h"

#include "src/splice/snapshot.h"
#include "src/splice/table.h"
#include "src/telemetry/json.h"

namespace twinpath {
namespace {

bool IsSplice(const nlohmann::ordered_json& summary) {
  return summary.value("path", "") == "splice";
}

}  // namespace

std::string ProgramTable(const nlohmann::ordered_json& summary, size_t width) {
  return IsSplice(summary) ? splice::SummaryTable(summary, width) : SummaryTable(summary, width);
}

std::string ProgramRates(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                         size_t width) {
  return IsSplice(now) ? splice::RateTable(before, now, width) : RateTable(before, now, width);
}

std::vector<SectionNames> ProgramSections() {
  return {{"splice", {splice::kTargets, splice::kConnections}}};
}

}  // namespace twinpath
