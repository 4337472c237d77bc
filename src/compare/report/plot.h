// SPDX-License-Identifier: BSD-3-Clause
// Plots as SVG without a script. Colours are classes of the page's style sheet, so that a plot
// follows the reader's light or dark scheme. Every mark has its value as a tooltip. Pure functions.

#ifndef TWINPATH_COMPARE_REPORT_PLOT_H_
#define TWINPATH_COMPARE_REPORT_PLOT_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace twinpath {

// `text` inside HTML or SVG, also in an attribute.
std::string EscapeHtml(const std::string& text);

// "0", "2", ... : about four round numbers from 0 to at least `most`, or the powers of ten around
// the values of a logarithmic axis.
std::vector<double> LinearTicks(double most);
std::vector<double> LogTicks(double least, double most);

using NumberText = std::function<std::string(double)>;

// A value of a row. `low` and `high` are drawn as a whisker where they differ.
struct PlotMark {
  double value = 0, low = 0, high = 0;
  std::string title;  // the tooltip
};

struct PlotRow {
  std::string label;
  std::string style;  // a class of the style sheet
  std::vector<PlotMark> marks;
  std::string note;  // behind the row's last mark
};

// A row for each engine, with a bar, or with marks on a line.
struct RowPlot {
  std::string title;  // what a screen reader says, and the caption
  bool bars = true;   // else marks
  bool log = false;
  NumberText tick;
  std::vector<PlotRow> rows;
  std::vector<double> references;  // vertical lines
};
std::string RenderPlot(const RowPlot& plot);

// `low` and `high` of a point are drawn as a whisker.
struct PlotRange {
  double x = 0, low = 0, high = 0;
};

struct PlotSeries {
  std::string label, style;
  std::vector<std::pair<double, double>> points;
  std::vector<PlotRange> ranges = {};
};

// Lines over two axes; each begins at 0, or is logarithmic.
struct XyPlot {
  std::string title, x_label, y_label;
  NumberText x_tick, y_tick;
  bool log_x = false, log_y = false;
  std::vector<PlotSeries> series;
};
std::string RenderPlot(const XyPlot& plot);

struct HeatCell {
  double value = 0;
  std::string text;   // what the cell shows; empty: there is no such cell
  std::string title;  // the tooltip
  bool known = true;  // false: there is no value; the cell is hatched
};

// A table of colours: `cells` has a row for each of `y_labels`. The colour is the stronger, the
// greater the value is between the least and the greatest.
struct HeatMap {
  std::string title, x_label, y_label;
  std::vector<std::string> x_labels, y_labels;
  std::vector<std::vector<HeatCell>> cells;
};
std::string RenderPlot(const HeatMap& map);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_REPORT_PLOT_H_
