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

struct PlotSeries {
  std::string label, style;
  std::vector<std::pair<double, double>> points;
};

// Lines over two axes; each begins at 0, or is logarithmic.
struct XyPlot {
  std::string title, x_label, y_label;
  NumberText x_tick, y_tick;
  bool log_x = false, log_y = false;
  std::vector<PlotSeries> series;
};
std::string RenderPlot(const XyPlot& plot);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_REPORT_PLOT_H_
