// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "src/compare/result/text.h"
#include "src/telemetry/table/text_table.h"

namespace twinpath {
namespace {

using Right = TextTable::Right;

std::string Plain(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_number()) return ValueText(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string ValueText(double value) { return absl::StrFormat("%.4g", value); }

std::string EstimateText(const Estimate& e) {
  if (e.count == 0) return "";
  if (e.count == 1) return ValueText(e.median);
  return absl::StrCat(ValueText(e.median), " (", ValueText(e.low), " to ", ValueText(e.high), ")");
}

std::string ResultText(const SweepRow& row, size_t result) {
  return row.results[result].count ? EstimateText(row.results[result]) : row.words[result];
}

std::string RunText(const SweepResults& results, const SweepRun& run) {
  std::string text = CombinationText(results.parameters, run.combination);
  if (results.repetitions > 1) absl::StrAppend(&text, ", repetition ", run.repetition + 1);
  std::vector<std::string> values;
  for (size_t i = 0; i < results.results.size(); i++)
    values.push_back(absl::StrCat(results.results[i].name, " ", Plain(run.values[i])));
  if (!values.empty() && run.problem.empty())
    absl::StrAppend(&text, ": ", absl::StrJoin(values, ", "));
  absl::StrAppendFormat(&text, " (%.1f s)", run.seconds);
  if (!run.problem.empty()) absl::StrAppend(&text, ": failed: ", run.problem);
  return FitText(text, text.size());  // no control characters
}

std::string SweepText(const SweepResults& results, size_t width) {
  std::vector<std::string> headings;
  for (const SweepParameter& parameter : results.parameters) headings.push_back(parameter.pointer);
  for (const SweepResult& result : results.results) headings.push_back(result.name);
  headings.insert(headings.end(), {"seconds", "runs", "failed"});
  TextTable table(headings);
  std::string problems;
  for (const SweepRow& row : SummarizeSweep(results)) {
    std::vector<TextTable::Cell> cells;
    for (size_t i = 0; i < row.combination.size(); i++)
      cells.emplace_back(results.parameters[i].texts[row.combination[i]]);
    for (size_t i = 0; i < results.results.size(); i++)
      cells.emplace_back(Right{FitText(ResultText(row, i), 40)});
    cells.emplace_back(Right{EstimateText(row.seconds)});
    cells.emplace_back(uint64_t{row.runs});
    cells.emplace_back(uint64_t{row.failed});
    table.AddRow(std::move(cells));
    if (row.failed)
      absl::StrAppend(&problems, "  ", CombinationText(results.parameters, row.combination), ": ",
                      row.problem, "\n");
  }
  std::string text = table.Render(width);
  if (!problems.empty()) absl::StrAppend(&text, "\nFailed\n\n", problems);
  for (const std::string& note : results.notes) absl::StrAppend(&text, "\n", note, "\n");
  return text;
}

std::string SweepCsv(const SweepResults& results) {
  std::vector<std::string> names;
  for (const SweepParameter& parameter : results.parameters)
    names.push_back(CsvField(parameter.pointer));
  names.insert(names.end(), {"repetition", "exit_status", "duration_s"});
  for (const SweepResult& result : results.results) names.push_back(CsvField(result.name));
  names.emplace_back("problem");
  std::string text = absl::StrCat(absl::StrJoin(names, ","), "\r\n");
  for (const SweepRun& run : results.runs) {
    std::vector<std::string> fields;
    for (size_t i = 0; i < run.combination.size(); i++)
      fields.push_back(CsvField(results.parameters[i].texts[run.combination[i]]));
    fields.push_back(absl::StrCat(run.repetition));
    fields.push_back(run.exit_status ? absl::StrCat(*run.exit_status) : "");
    fields.push_back(absl::StrFormat("%.6f", run.seconds));
    for (const nlohmann::ordered_json& value : run.values)
      fields.push_back(value.is_null() ? "" : CsvField(value));
    fields.push_back(CsvField(run.problem));
    absl::StrAppend(&text, absl::StrJoin(fields, ","), "\r\n");
  }
  return text;
}

}  // namespace twinpath
