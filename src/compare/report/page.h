// SPDX-License-Identifier: BSD-3-Clause
// The report: one HTML page that needs no other file, no network and no script. Its data is in it
// as JSON, in the element "results". Pure functions.

#ifndef TWINPATH_COMPARE_REPORT_PAGE_H_
#define TWINPATH_COMPARE_REPORT_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/compare/result/results.h"
#include "src/compare/result/summary.h"

namespace twinpath {

// `differences`: to an earlier run, whose file is `against`; empty: there is none.
std::string ReportPage(const Results& results, const std::vector<Difference>& differences,
                       const std::string& against);

// The parts of the page, each a <section>, or empty where there is nothing to show.
namespace report {

extern const char kStyle[];

// The class of an engine's colour, the same in all plots.
std::string StyleOf(const Results& results, const std::string& engine);

std::string ThroughputSection(const Results& results, const std::vector<CaseRow>& rows);
std::string LatencySection(const Results& results, const std::vector<CaseRow>& rows);
std::string CpuSection(const Results& results, const std::vector<CaseRow>& rows);
std::string LossSection(const Results& results, const std::vector<CaseRow>& rows);
std::string DropsSection(const std::vector<CaseRow>& rows);
std::string DifferencesSection(const std::vector<Difference>& differences,
                               const std::string& against);
std::string FactsSections(const Results& results);

// <table> with a row of headings; cells are HTML already. The first `text` columns are text, the
// others numbers.
std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows, size_t text);

// Names and values.
using Facts = std::vector<std::pair<std::string, std::string>>;
std::string FactsTable(const Facts& facts);
std::string PolicySection(const PolicyFacts& policy);

// The whole page: the style sheet, `body`, and `json` in the element "results". `title` is text;
// `program` is who made the page.
std::string Document(const std::string& program, const std::string& title, const std::string& body,
                     const nlohmann::ordered_json& json);

// A figure with its caption.
std::string Figure(const std::string& caption, const std::string& svg);

}  // namespace report
}  // namespace twinpath

#endif  // TWINPATH_COMPARE_REPORT_PAGE_H_
