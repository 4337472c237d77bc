// SPDX-License-Identifier: BSD-3-Clause
// The sections with figures: each has plots, and a table with the same values.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/compare/report/page.h"
#include "src/compare/report/plot.h"
#include "src/compare/result/text.h"
#include "src/telemetry/json.h"
#include "src/text/words.h"

namespace twinpath::report {
namespace {

using Panel = std::pair<uint32_t, std::string>;  // size, loss

// One panel for each size and loss.
std::map<Panel, std::vector<const CaseRow*>> Panels(const std::vector<CaseRow>& rows) {
  std::map<Panel, std::vector<const CaseRow*>> panels;
  for (const CaseRow& row : rows) panels[{row.key.size, row.key.loss}].push_back(&row);
  return panels;
}

std::string PanelText(const Panel& panel) {
  return absl::StrCat(panel.first, " bytes", panel.second.empty() ? "" : ", loss " + panel.second);
}

std::string PlainRate(double rate) {
  if (rate >= 1e6) return absl::StrFormat("%.3gM", rate / 1e6);
  if (rate >= 1e3) return absl::StrFormat("%.3gk", rate / 1e3);
  return absl::StrFormat("%.3g", rate);
}

// Powers of ten, without decimals.
std::string PlainTime(double ns) {
  if (ns >= 1e9) return absl::StrFormat("%g s", ns / 1e9);
  if (ns >= 1e6) return absl::StrFormat("%g ms", ns / 1e6);
  if (ns >= 1e3) return absl::StrFormat("%g us", ns / 1e3);
  return absl::StrFormat("%g ns", ns);
}

std::string IntervalCell(const Estimate& e, std::string (*text)(double)) {
  if (e.count == 0) return "";
  if (e.count == 1) return "one value";
  return absl::StrCat(text(e.low), " to ", text(e.high));
}

PlotMark MarkOf(const Estimate& e, const std::string& title) {
  return {e.median, e.low, e.high, title};
}

std::string SecondsText(double seconds) { return absl::StrFormat("%.3f s", seconds); }

// The points of many trials as one curve: the median of those whose rates are within an eighth of a
// decade.
std::vector<std::pair<double, double>> Curve(const std::vector<std::pair<double, double>>& points) {
  std::map<int, std::pair<std::vector<double>, std::vector<double>>> bins;
  for (const auto& [rate, cost] : points) {
    auto& bin = bins[static_cast<int>(8 * std::log10(std::max(rate, 1.0)))];
    bin.first.push_back(rate);
    bin.second.push_back(cost);
  }
  std::vector<std::pair<double, double>> curve;
  for (const auto& [number, bin] : bins)
    curve.emplace_back(MedianOf(bin.first).median, MedianOf(bin.second).median);
  return curve;
}

std::string LevelText(const std::vector<CaseRow>& rows) {
  double level = 1;
  size_t count = 0;
  for (const CaseRow& row : rows) {
    if (row.throughput.count == 0) continue;
    level = std::min(level, row.throughput.level);
    count = std::max(count, row.throughput.count);
  }
  if (count < 2) return "One repetition: there are no intervals.";
  return absl::StrFormat("Whiskers: from order statistics of up to %u repetitions, at least %s.",
                         count, PercentText(level, 2));
}

}  // namespace

std::string ThroughputSection(const Results& results, const std::vector<CaseRow>& rows) {
  std::string plots;
  std::vector<std::vector<std::string>> cells;
  for (const auto& [panel, in] : Panels(rows)) {
    RowPlot plot{.title = "Throughput at " + PanelText(panel), .tick = PlainRate};
    for (const CaseRow* row : in) {
      if (row->throughput.count == 0) continue;
      const Estimate& e = row->throughput;
      plot.rows.push_back({row->key.engine,
                           StyleOf(results, row->key.engine),
                           {MarkOf(e, absl::StrCat(row->key.engine, ": ", RateText(e.median)))},
                           absl::StrCat(row->generator_limited ? ">" : "", PlainRate(e.median))});
      cells.push_back({EscapeHtml(row->key.engine), EscapeHtml(LossText(row->key.loss)),
                       absl::StrCat(row->key.size),
                       absl::StrCat(row->generator_limited ? "at least " : "", RateText(e.median)),
                       IntervalCell(e, RateText), RateText(row->highest.median),
                       absl::StrFormat("%.3g", e.median * 8 * (row->key.size + 24) / 1e9)});
    }
    if (!plot.rows.empty()) plots += Figure(plot.title, RenderPlot(plot));
  }
  if (plots.empty()) return "";
  return absl::StrCat(
      "<section id=\"throughput\"><h2>Throughput</h2>\n<p>The highest rate at which an engine "
      "loses "
      "no more than was tolerated, beside what the policy is to lose (RFC 2544). “&gt;”: nothing "
      "was "
      "lost at full speed. In a lab of veth pairs, the kernel’s part of an engine runs on the "
      "generator’s CPU and slows it, so this is what both reach together. ",
      LevelText(rows), "</p>\n<div class=\"plots\">", plots, "</div>\n",
      Table(
          {"engine", "loss", "size", "throughput", "interval", "most received", "Gbit/s on a wire"},
          cells, 2),
      "</section>\n");
}

std::string LatencySection(const Results& results, const std::vector<CaseRow>& rows) {
  std::map<std::tuple<uint32_t, std::string, double>, RowPlot> plots;
  std::vector<std::vector<std::string>> cells;
  for (const CaseRow& row : rows) {
    for (const LoadRow& load : row.loads) {
      if (load.p50.count == 0) continue;
      RowPlot& plot = plots[{row.key.size, row.key.loss, load.load}];
      const std::string at = PercentText(load.load, 3) + " of the throughput";
      plot.title = absl::StrCat("Latency at ", at, ", ", PanelText({row.key.size, row.key.loss}));
      plot.bars = false;
      plot.log = true;
      PlotRow line{row.key.engine, StyleOf(results, row.key.engine), {}, ""};
      const std::pair<const char*, double> values[] = {{"p50", load.p50.median},
                                                       {"p99", load.p99.median},
                                                       {"p99.9", load.p999.median},
                                                       {"max", load.most.median}};
      for (const auto& [name, value] : values)
        line.marks.push_back(
            {value, value, value, absl::StrCat(row.key.engine, " ", name, ": ", TimeText(value))});
      plot.rows.push_back(line);
      cells.push_back({EscapeHtml(row.key.engine), EscapeHtml(LossText(row.key.loss)),
                       absl::StrCat(row.key.size), PercentText(load.load, 3),
                       RateText(load.offered.median), TimeText(load.p50.median),
                       TimeText(load.p99.median), TimeText(load.p999.median),
                       TimeText(load.most.median)});
    }
  }
  if (plots.empty()) return "";
  std::string figures;
  for (auto& [key, plot] : plots) {
    plot.tick = PlainTime;
    figures += Figure(plot.title, RenderPlot(plot));
  }
  return absl::StrCat(
      "<section id=\"latency\"><h2>Latency by load</h2>\n<p>One way, from the generator to the "
      "receiver's interface, at a share of each engine’s own throughput. From the full dot to the "
      "smallest: median, 99 %, 99.9 %, greatest. The axis is logarithmic.</p>\n<div "
      "class=\"plots\">",
      figures, "</div>\n",
      Table({"engine", "loss", "size", "load", "offered", "p50", "p99", "p99.9", "max"}, cells, 2),
      "</section>\n");
}

std::string CpuSection(const Results& results, const std::vector<CaseRow>& rows) {
  std::map<Panel, std::map<std::string, std::vector<std::pair<double, double>>>> panels;
  for (const Trial& trial : results.trials)
    if (trial.cpu_per_million() > 0)
      panels[{trial.key.size, trial.key.loss}][trial.key.engine].emplace_back(
          trial.sent_rate(), trial.cpu_per_million());
  std::string figures;
  for (auto& [panel, engines] : panels) {
    XyPlot plot{.title = "CPU by offered rate, " + PanelText(panel),
                .x_label = "packets offered a second",
                .y_label = "CPU seconds a million packets",
                .x_tick = PlainRate,
                .y_tick = [](double v) { return absl::StrFormat("%.3g", v); },
                .log_x = true,
                .log_y = true};
    std::string legend;
    for (const EngineRow& engine : results.engines) {
      const auto found = engines.find(engine.name);
      if (found == engines.end()) continue;
      const std::string style = StyleOf(results, engine.name);
      plot.series.push_back({engine.name, style, Curve(found->second)});
      absl::StrAppend(&legend, "<li class=\"", style,
                      "\"><svg viewBox=\"0 0 26 10\" "
                      "aria-hidden=\"true\"><line class=\"curve ",
                      style, "\" x1=\"0\" y1=\"5\" x2=\"26\" y2=\"5\"/></svg><span>",
                      EscapeHtml(engine.name), "</span></li>");
    }
    figures += Figure(plot.title,
                      absl::StrCat(RenderPlot(plot), "<ul class=\"legend\">", legend, "</ul>"));
  }
  if (figures.empty()) return "";
  std::vector<std::vector<std::string>> cells;
  for (const CaseRow& row : rows)
    if (row.cpu.count)
      cells.push_back({EscapeHtml(row.key.engine), EscapeHtml(LossText(row.key.loss)),
                       absl::StrCat(row.key.size), SecondsText(row.cpu.median),
                       IntervalCell(row.cpu, SecondsText)});
  return absl::StrCat(
      "<section id=\"cpu\"><h2>CPU by rate</h2>\n<p>CPU seconds of the whole machine for a million "
      "packets that came through or that the policy took, less what the idle machine uses. On the "
      "generator’s CPU only softirqs count. A program that polls uses its CPU at every rate, so "
      "its "
      "packets are dear at low rates. Both axes are logarithmic.</p>\n<div class=\"plots\">",
      figures, "</div>\n<h3>At the throughput</h3>\n",
      Table({"engine", "loss", "size", "CPU a million packets", "interval"}, cells, 2),
      "</section>\n");
}

std::string LossSection(const Results& results, const std::vector<CaseRow>& rows) {
  std::map<Panel, RowPlot> plots;
  std::vector<std::vector<std::string>> cells;
  for (const CaseRow& row : rows) {
    if (row.matched == 0 || row.lost_asked <= 0) continue;
    const double matched = static_cast<double>(row.matched);
    const double asked = row.lost_asked / matched,
                 reached = static_cast<double>(row.lost) / matched;
    const auto [low, high] = LossRateBounds(row.lost, row.matched);
    RowPlot& plot = plots[{row.key.size, row.key.loss}];
    plot.title = "Loss reached, " + PanelText({row.key.size, row.key.loss});
    plot.bars = false;
    plot.tick = ShareText;
    if (plot.references.empty()) plot.references.push_back(asked);
    plot.rows.push_back(
        {row.key.engine,
         StyleOf(results, row.key.engine),
         {{reached, low, high,
           absl::StrCat(row.key.engine, ": ", ShareText(reached), " of ", ShareText(asked))}},
         ""});
    cells.push_back({EscapeHtml(row.key.engine), EscapeHtml(LossText(row.key.loss)),
                     absl::StrCat(row.key.size), Grouped(row.matched), ShareText(asked),
                     ShareText(reached), absl::StrCat(ShareText(low), " to ", ShareText(high))});
  }
  if (plots.empty()) return "";
  std::string figures;
  for (const auto& [panel, plot] : plots) figures += Figure(plot.title, RenderPlot(plot));
  return absl::StrCat(
      "<section id=\"loss\"><h2>Loss asked and reached</h2>\n<p>Of the packets that each engine’s "
      "rules decided, over all trials. The dashed line is what the models ask for; whiskers are 95 "
      "% "
      "intervals.</p>\n<div class=\"plots\">",
      figures, "</div>\n",
      Table({"engine", "loss", "size", "packets", "asked", "reached", "95 % interval"}, cells, 2),
      "</section>\n");
}

std::string DropsSection(const std::vector<CaseRow>& rows) {
  std::vector<std::string> headings = {"engine", "loss", "size", "sent", "received", "policy"};
  for (const DropPlaceName& place : kDropPlaces) headings.emplace_back(place.key);
  headings.emplace_back("unexplained");
  std::vector<std::vector<std::string>> cells;
  for (const CaseRow& row : rows) {
    std::vector<std::string> line = {
        EscapeHtml(row.key.engine), EscapeHtml(LossText(row.key.loss)), absl::StrCat(row.key.size),
        Grouped(row.counts.sent),   Grouped(row.counts.received),       Grouped(row.counts.policy)};
    for (uint64_t drop : row.counts.drops) line.push_back(Grouped(drop));
    const int64_t unexplained = row.counts.unexplained();
    line.push_back(unexplained ? absl::StrCat("<b class=\"warn\">", unexplained, "</b>") : "0");
    cells.push_back(line);
  }
  if (cells.empty()) return "";
  std::string legend;
  for (const DropPlaceName& place : kDropPlaces)
    absl::StrAppend(&legend, "<li><b>", place.key, "</b>: ", place.text, "</li>\n");
  return absl::StrCat(
      "<section id=\"drops\"><h2>Where packets went</h2>\n<p>Over all trials of a case, overloaded "
      "ones included: sent = received + policy + drops.</p>\n",
      Table(headings, cells, 2), "<ul class=\"soft\">\n", legend, "</ul></section>\n");
}

}  // namespace twinpath::report
