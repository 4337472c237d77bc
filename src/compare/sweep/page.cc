// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/page.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/compare/lab/child.h"
#include "src/compare/report/page.h"
#include "src/compare/report/plot.h"
#include "src/compare/sweep/text.h"

namespace twinpath {
namespace {

constexpr size_t kMostMaps = 24;  // heat maps of one result
constexpr char kSeconds[] = "seconds";

// A result of the command, or its duration if it has none.
struct PlottedResult {
  std::string name;
  size_t index = 0;
  bool duration = false;

  const Estimate& Of(const SweepRow& row) const {
    return duration ? row.seconds : row.results[index];
  }
};

std::vector<PlottedResult> FiguresOf(const SweepResults& results,
                                     const std::vector<SweepRow>& rows) {
  std::vector<PlottedResult> figures;
  for (size_t i = 0; i < results.results.size(); i++)
    if (std::any_of(rows.begin(), rows.end(),
                    [i](const SweepRow& row) { return row.results[i].count > 0; }))
      figures.push_back({results.results[i].name, i, false});
  if (figures.empty()) figures.push_back({kSeconds, 0, true});
  return figures;
}

std::string ValueOf(const SweepResults& results, const SweepRow& row, size_t parameter) {
  return results.parameters[parameter].texts[row.combination[parameter]];
}

std::string Tooltip(const SweepResults& results, const SweepRow& row, const PlottedResult& figure) {
  const Estimate& e = figure.Of(row);
  return absl::StrCat(CombinationText(results.parameters, row.combination), ": ", figure.name, " ",
                      e.count ? EstimateText(e) : absl::StrCat("failed: ", row.problem));
}

// The estimates begin at 0 on the axes of lines and dots.
bool Negative(const std::vector<SweepRow>& rows, const PlottedResult& figure) {
  return std::any_of(rows.begin(), rows.end(),
                     [&figure](const SweepRow& row) { return figure.Of(row).low < 0; });
}

std::string LinePlot(const SweepResults& results, const std::vector<SweepRow>& rows,
                     const PlottedResult& figure, const NumericAxis& axis) {
  const SweepParameter& parameter = results.parameters[0];
  PlotSeries series = {figure.name, "s0", {}, {}};
  for (const SweepRow& row : rows) {
    const Estimate& e = figure.Of(row);
    if (e.count == 0) continue;
    const double x = axis.values[row.combination[0]];
    series.points.emplace_back(x, e.median);
    if (e.high > e.low) series.ranges.push_back({x, e.low, e.high});
  }
  std::sort(series.points.begin(), series.points.end());
  XyPlot plot;
  plot.title = figure.name;
  plot.x_label = parameter.pointer;
  plot.y_label = figure.name;
  plot.x_tick = [unit = axis.unit](double x) { return absl::StrCat(ValueText(x), unit); };
  plot.y_tick = ValueText;
  plot.series.push_back(std::move(series));
  return RenderPlot(plot);
}

std::string DotPlot(const SweepResults& results, const std::vector<SweepRow>& rows,
                    const PlottedResult& figure) {
  RowPlot plot;
  plot.title = figure.name;
  plot.bars = false;
  plot.tick = ValueText;
  for (const SweepRow& row : rows) {
    const Estimate& e = figure.Of(row);
    std::string label = ValueOf(results, row, 0);
    if (label.size() > 18) label = absl::StrCat(label.substr(0, 16), "…");
    PlotRow plotted = {label, "s0", {}, e.count ? ValueText(e.median) : "failed"};
    if (e.count) plotted.marks.push_back({e.median, e.low, e.high, Tooltip(results, row, figure)});
    plot.rows.push_back(std::move(plotted));
  }
  return RenderPlot(plot);
}

// A map of the last two parameters; the others have the values of `rows`' first combination.
std::string HeatPlot(const SweepResults& results, const std::vector<const SweepRow*>& rows,
                     const PlottedResult& figure, const std::string& title) {
  const size_t y = results.parameters.size() - 2, x = y + 1;
  const SweepParameter &across = results.parameters[x], &down = results.parameters[y];
  HeatMap map = {title,
                 across.pointer,
                 down.pointer,
                 across.texts,
                 down.texts,
                 std::vector<std::vector<HeatCell>>(down.texts.size(),
                                                    std::vector<HeatCell>(across.texts.size()))};
  for (const SweepRow* row : rows) {
    const Estimate& e = figure.Of(*row);
    map.cells[row->combination[y]][row->combination[x]] = {
        e.median, e.count ? ValueText(e.median) : "failed", Tooltip(results, *row, figure),
        e.count > 0};
  }
  return RenderPlot(map);
}

std::string HeatPlots(const SweepResults& results, const std::vector<SweepRow>& rows,
                      const PlottedResult& figure) {
  std::map<Combination, std::vector<const SweepRow*>> panels;
  for (const SweepRow& row : rows) {
    Combination others = row.combination;
    others.resize(others.size() - 2);
    panels[others].push_back(&row);
  }
  std::string html;
  size_t shown = 0;
  for (const auto& [others, of] : panels) {
    if (shown++ == kMostMaps) break;
    std::string caption = figure.name;
    for (size_t i = 0; i < others.size(); i++)
      absl::StrAppend(&caption, ", ", results.parameters[i].pointer, "=",
                      results.parameters[i].texts[others[i]]);
    html += report::Figure(caption, HeatPlot(results, of, figure, caption));
  }
  if (panels.size() > kMostMaps)
    absl::StrAppend(&html, "<p class=\"soft\">", panels.size() - kMostMaps,
                    " more maps are left out; the table has their values.</p>\n");
  return html;
}

std::string PlotsSection(const SweepResults& results, const std::vector<SweepRow>& rows) {
  if (rows.empty() || results.parameters.empty()) return "";
  std::string plots;
  for (const PlottedResult& figure : FiguresOf(results, rows)) {
    if (results.parameters.size() > 1) {
      plots += HeatPlots(results, rows, figure);
    } else if (!Negative(rows, figure)) {
      const NumericAxis axis = NumbersOf(results.parameters[0]);
      plots +=
          report::Figure(figure.name, axis.values.empty() ? DotPlot(results, rows, figure)
                                                          : LinePlot(results, rows, figure, axis));
    }
  }
  return absl::StrCat(
      "<section id=\"plots\"><h2>Results</h2>\n<p class=\"soft\">Medians of the runs that "
      "succeeded. A mark's tooltip has its interval.</p>\n<div class=\"plots\">\n",
      plots, "</div></section>\n");
}

std::string TableSection(const SweepResults& results, const std::vector<SweepRow>& rows) {
  std::vector<std::string> headings;
  for (const SweepParameter& parameter : results.parameters)
    headings.push_back(EscapeHtml(parameter.pointer));
  for (const SweepResult& result : results.results) headings.push_back(EscapeHtml(result.name));
  headings.insert(headings.end(), {kSeconds, "runs", "failed"});
  std::vector<std::vector<std::string>> cells;
  std::string problems;
  for (const SweepRow& row : rows) {
    std::vector<std::string> line;
    for (size_t i = 0; i < row.combination.size(); i++)
      line.push_back(EscapeHtml(ValueOf(results, row, i)));
    for (size_t i = 0; i < results.results.size(); i++)
      line.push_back(EscapeHtml(ResultText(row, i)));
    line.push_back(EstimateText(row.seconds));
    line.push_back(absl::StrCat(row.runs));
    line.push_back(row.failed ? absl::StrCat("<b class=\"warn\">", row.failed, "</b>") : "0");
    cells.push_back(std::move(line));
    if (row.failed)
      absl::StrAppend(&problems, "<li>",
                      EscapeHtml(CombinationText(results.parameters, row.combination)), ": ",
                      EscapeHtml(row.problem), "</li>\n");
  }
  std::string html = absl::StrCat("<section id=\"table\"><h2>Table</h2>\n",
                                  report::Table(headings, cells, results.parameters.size()));
  if (results.repetitions > 1) {
    double level = 1;
    for (const SweepRow& row : rows)
      if (row.seconds.count > 1) level = std::min(level, row.seconds.level);
    absl::StrAppendFormat(&html,
                          "<p class=\"soft\">Intervals are of order statistics; at least %.1f %% "
                          "of such intervals hold the true median.</p>\n",
                          100 * level);
  }
  if (!problems.empty()) absl::StrAppend(&html, "<h3>Failed</h3>\n<ul>\n", problems, "</ul>\n");
  return html + "</section>\n";
}

}  // namespace

std::string SweepPage(const SweepResults& results) {
  const std::vector<SweepRow> rows = SummarizeSweep(results);
  std::string notes;
  for (const std::string& note : results.notes)
    absl::StrAppend(&notes, "<p>", EscapeHtml(note), "</p>\n");
  const std::string body = absl::StrCat(
      "<h1>A sweep of ", EscapeHtml(results.policy.file), "</h1>\n<p class=\"soft\">",
      EscapeHtml(results.started), ", ", absl::StrFormat("%.0f s", results.duration), ", ",
      results.runs.size(), " runs, twinpath ", EscapeHtml(results.version),
      results.complete ? "" : ". <b class=\"warn\">The sweep has not ended.</b>", "</p>\n", notes,
      PlotsSection(results, rows), TableSection(results, rows),
      "<section id=\"command\"><h2>The command</h2>\n<pre>",
      EscapeHtml(CommandText(results.command)),
      "</pre></section>\n<section id=\"machine\"><h2>The machine</h2>\n",
      report::FactsTable(results.machine), "</section>\n", report::PolicySection(results.policy));
  return report::Document("twinpath sweep", "A sweep of " + results.policy.file, body,
                          SweepJson(results));
}

}  // namespace twinpath
