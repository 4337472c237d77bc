// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/report/plot.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace twinpath {
namespace {

// In units of the viewBox. A plot is about 420 pixels wide, so that a telephone shows one a line
// with readable text.
constexpr double kWidth = 420, kLabels = 122, kRight = 26, kRow = 24, kTop = 8, kAxis = 24;
constexpr double kNote = 64;  // room for a row's note
constexpr double kHeight = 260, kLeft = 52;
// Of a heat map.
constexpr double kMapRight = 8, kMapTop = 10, kMapBottom = 40, kMapRow = 30;
constexpr double kLeast = 0.06, kMost = 0.55;  // opacity: text stays readable in both schemes
constexpr double kLetter = 6.2;                // the width of a letter

std::string Line(double x1, double y1, double x2, double y2, const std::string& style) {
  return absl::StrFormat(R"(<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>)", style, x1,
                         y1, x2, y2);
}

std::string Text(double x, double y, const std::string& anchor, const std::string& text,
                 const std::string& style = "") {
  return absl::StrFormat(R"(<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>)", style,
                         x, y, anchor, EscapeHtml(text));
}

std::string Open(double height, const std::string& title) {
  return absl::StrFormat(
      R"(<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s" xmlns="http://www.w3.org/2000/svg">)",
      kWidth, height, EscapeHtml(title));
}

// Maps values to places.
struct Scale {
  bool log = false;
  double from = 0, to = 1;    // values
  double begin = 0, end = 1;  // places
  double At(double value) const {
    if (log) value = std::log10(std::max(value, from));
    const double a = log ? std::log10(from) : from, b = log ? std::log10(to) : to;
    return begin + (end - begin) * std::clamp((value - a) / (b - a), 0.0, 1.0);
  }
};

Scale ScaleOf(const std::vector<double>& ticks, bool log, double begin, double end) {
  return {log, ticks.front(), ticks.back(), begin, end};
}

std::string Whisker(const Scale& x, double y, const PlotMark& mark) {
  if (mark.low >= mark.high) return "";
  const double a = x.At(mark.low), b = x.At(mark.high);
  return absl::StrCat(Line(a, y, b, y, "whisker"), Line(a, y - 4, a, y + 4, "whisker"),
                      Line(b, y - 4, b, y + 4, "whisker"));
}

// A whisker of a plot with two axes.
std::string Standing(double x, double low, double high) {
  return absl::StrCat(Line(x, low, x, high, "whisker"), Line(x - 4, low, x + 4, low, "whisker"),
                      Line(x - 4, high, x + 4, high, "whisker"));
}

std::string Title(const std::string& title) {
  return title.empty() ? "" : absl::StrCat("<title>", EscapeHtml(title), "</title>");
}

std::string Bar(const Scale& x, double y, const PlotRow& row, const PlotMark& mark) {
  return absl::StrFormat(
             R"(<rect class="bar %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2">%s</rect>)",
             row.style, x.begin, y - 7, std::max(1.0, x.At(mark.value) - x.begin), 14.0,
             Title(mark.title)) +
         Whisker(x, y, mark);
}

// Marks on a line: the first is a full dot, the others become smaller.
std::string Dots(const Scale& x, double y, const PlotRow& row) {
  std::string svg;
  if (row.marks.size() > 1)
    svg += Line(x.At(row.marks.front().value), y, x.At(row.marks.back().value), y,
                "range " + row.style);
  for (size_t i = 0; i < row.marks.size(); i++) {
    const PlotMark& mark = row.marks[i];
    svg += Whisker(x, y, mark);
    absl::StrAppendFormat(&svg,
                          R"(<circle class="dot %s %s" cx="%.1f" cy="%.1f" r="%.1f">%s</circle>)",
                          i == 0 ? "full" : "open", row.style, x.At(mark.value), y,
                          i == 0 ? 5.0 : 4.5 - 0.8 * static_cast<double>(i), Title(mark.title));
  }
  return svg;
}

std::vector<double> TicksOf(const RowPlot& plot) {
  double least = INFINITY, most = 0;
  const auto see = [&](double value) {
    if (value > 0) least = std::min(least, value);
    most = std::max(most, value);
  };
  for (const PlotRow& row : plot.rows)
    for (const PlotMark& mark : row.marks)
      for (double value : {mark.value, mark.low, mark.high}) see(value);
  for (double value : plot.references) see(value);
  return plot.log ? LogTicks(least, most) : LinearTicks(most);
}

size_t Longest(const std::vector<std::string>& texts) {
  size_t longest = 0;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  return longest;
}

std::string Cut(const std::string& text, double width) {
  const auto letters = static_cast<size_t>(std::max(1.0, width / kLetter));
  return text.size() <= letters ? text : text.substr(0, letters - 1) + "…";
}

}  // namespace

std::string EscapeHtml(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::vector<double> LinearTicks(double most) {
  if (!(most > 0) || !std::isfinite(most)) most = 1;
  const double raw = most / 4, power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (double factor : {1.0, 2.0, 2.5, 5.0})
    if (factor * power >= raw * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  std::vector<double> ticks;
  for (int i = 0; ticks.empty() || ticks.back() < most * (1 - 1e-9); i++) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> LogTicks(double least, double most) {
  if (!(least > 0) || !std::isfinite(least)) least = 1;
  if (!(most > least)) most = 10 * least;
  std::vector<double> ticks;
  for (double tick = std::pow(10, std::floor(std::log10(least)));; tick *= 10) {
    ticks.push_back(tick);
    if (tick >= most) return ticks;
  }
}

std::string RenderPlot(const RowPlot& plot) {
  const std::vector<double> ticks = TicksOf(plot);
  const double bottom = kTop + kRow * static_cast<double>(plot.rows.size());
  const bool notes = std::any_of(plot.rows.begin(), plot.rows.end(),
                                 [](const PlotRow& row) { return !row.note.empty(); });
  const Scale x = ScaleOf(ticks, plot.log, kLabels, kWidth - (notes ? kNote : kRight));
  std::string svg = Open(bottom + kAxis, plot.title);
  for (double tick : ticks) {
    svg += Line(x.At(tick), kTop, x.At(tick), bottom, "grid");
    svg += Text(x.At(tick), bottom + 16, "middle", plot.tick(tick), "tick");
  }
  for (double value : plot.references)
    svg += Line(x.At(value), kTop, x.At(value), bottom, "reference");
  for (size_t i = 0; i < plot.rows.size(); i++) {
    const PlotRow& row = plot.rows[i];
    const double y = kTop + kRow * (static_cast<double>(i) + 0.5);
    svg += Text(kLabels - 8, y + 4, "end", row.label, "label");
    if (!plot.bars) {
      svg += Dots(x, y, row);
    } else if (!row.marks.empty()) {
      svg += Bar(x, y, row, row.marks.front());
    }
    double end = x.begin;
    for (const PlotMark& mark : row.marks) end = std::max({end, x.At(mark.value), x.At(mark.high)});
    if (!row.note.empty()) svg += Text(end + 7, y + 4, "start", row.note, "value");
  }
  return svg + "</svg>";
}

std::string RenderPlot(const XyPlot& plot) {
  double x_least = INFINITY, x_most = 0, y_least = INFINITY, y_most = 0;
  for (const PlotSeries& series : plot.series)
    for (const auto& [a, b] : series.points) {
      x_most = std::max(x_most, a);
      y_most = std::max(y_most, b);
      if (a > 0) x_least = std::min(x_least, a);
      if (b > 0) y_least = std::min(y_least, b);
    }
  for (const PlotSeries& series : plot.series)
    for (const PlotRange& range : series.ranges) y_most = std::max(y_most, range.high);
  const std::vector<double> x_ticks = plot.log_x ? LogTicks(x_least, x_most) : LinearTicks(x_most);
  const std::vector<double> y_ticks = plot.log_y ? LogTicks(y_least, y_most) : LinearTicks(y_most);
  const Scale x = ScaleOf(x_ticks, plot.log_x, kLeft, kWidth - kRight);
  const Scale y = ScaleOf(y_ticks, plot.log_y, kHeight - 40, kTop + 16);
  std::string svg = Open(kHeight, plot.title);
  for (double tick : y_ticks) {
    svg += Line(x.begin, y.At(tick), x.end, y.At(tick), "grid");
    svg += Text(x.begin - 6, y.At(tick) + 4, "end", plot.y_tick(tick), "tick");
  }
  for (double tick : x_ticks)
    svg += Text(x.At(tick), y.begin + 16, "middle", plot.x_tick(tick), "tick");
  svg += Text(x.end, kHeight - 6, "end", plot.x_label, "axis");
  svg += Text(4, kTop + 4, "start", plot.y_label, "axis");
  for (const PlotSeries& series : plot.series) {
    std::string path;
    for (const auto& [a, b] : series.points)
      absl::StrAppendFormat(&path, "%s%.1f,%.1f", path.empty() ? "" : " ", x.At(a), y.At(b));
    for (const PlotRange& range : series.ranges)
      svg += Standing(x.At(range.x), y.At(range.low), y.At(range.high));
    absl::StrAppendFormat(&svg, R"(<polyline class="curve %s" points="%s"/>)", series.style, path);
    for (const auto& [a, b] : series.points)
      absl::StrAppendFormat(
          &svg, R"(<circle class="dot full %s" cx="%.1f" cy="%.1f" r="3">%s</circle>)",
          series.style, x.At(a), y.At(b),
          Title(absl::StrCat(series.label, ": ", plot.y_tick(b), " at ", plot.x_tick(a))));
  }
  return svg + "</svg>";
}

std::string RenderPlot(const HeatMap& map) {
  double least = INFINITY, most = -INFINITY;
  for (const auto& row : map.cells)
    for (const HeatCell& cell : row)
      if (cell.known && !cell.text.empty()) {
        least = std::min(least, cell.value);
        most = std::max(most, cell.value);
      }
  const double left =
      std::clamp(kLetter * static_cast<double>(Longest(map.y_labels)) + 14, 40.0, 140.0);
  const double column =
      (kWidth - kMapRight - left) / static_cast<double>(std::max<size_t>(1, map.x_labels.size()));
  const double top = kMapTop + 14,
               bottom = top + kMapRow * static_cast<double>(map.y_labels.size());
  std::string svg = Open(bottom + kMapBottom, map.title);
  svg += Text(4, kMapTop + 2, "start", map.y_label, "axis");
  for (size_t r = 0; r < map.y_labels.size(); r++) {
    const double y = top + kMapRow * static_cast<double>(r);
    svg += Text(left - 6, y + kMapRow / 2 + 4, "end", Cut(map.y_labels[r], left - 12), "tick");
    for (size_t c = 0; c < map.x_labels.size(); c++) {
      const HeatCell& cell = map.cells[r][c];
      if (cell.text.empty()) continue;
      const double x = left + column * static_cast<double>(c);
      const double share = most > least ? (cell.value - least) / (most - least) : 0.5;
      absl::StrAppendFormat(
          &svg,
          R"(<g><title>%s</title><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill-opacity="%.3f"/>)",
          EscapeHtml(cell.title), cell.known ? "heat s0" : "unknown", x + 1, y + 1, column - 2,
          kMapRow - 2, cell.known ? kLeast + (kMost - kLeast) * share : 1.0);
      svg +=
          Text(x + column / 2, y + kMapRow / 2 + 4, "middle", Cut(cell.text, column - 4), "cell") +
          "</g>";
    }
  }
  for (size_t c = 0; c < map.x_labels.size(); c++)
    svg += Text(left + column * (static_cast<double>(c) + 0.5), bottom + 15, "middle",
                Cut(map.x_labels[c], column - 4), "tick");
  svg += Text(kWidth - kMapRight, bottom + 32, "end", map.x_label, "axis");
  return svg + "</svg>";
}

}  // namespace twinpath
