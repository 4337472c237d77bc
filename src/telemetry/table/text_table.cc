// SPDX-License-Identifier: BSD-3-Clause
// Columns of text for a terminal. One thread.

#include "src/telemetry/table/text_table.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

namespace twinpath {
namespace {

bool StartsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string CellText(const TextTable::Cell& cell, bool exact) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* right = std::get_if<TextTable::Right>(&cell)) return right->text;
  if (const auto* number = std::get_if<TextTable::Short>(&cell)) return ShortNumber(number->number);
  const uint64_t number = std::get<uint64_t>(cell);
  return exact || number < 1'000'000 ? std::to_string(number) : ShortNumber(number);
}

// A column is as wide as its widest cell, its heading included.
std::vector<size_t> ColumnWidths(const std::vector<std::string>& headings,
                                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& heading : headings) widths.push_back(TextWidth(heading));
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], TextWidth(row[i]));
  return widths;
}

}  // namespace

size_t TextWidth(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCodePoint));
}

std::string FitText(const std::string& text, size_t width) {
  std::string fit;
  const size_t full = TextWidth(text);
  const size_t keep = full <= width ? full : width - std::min<size_t>(width, 3);
  size_t taken = 0;
  for (const char c : text) {
    if (StartsCodePoint(c) && taken++ == keep) break;
    const auto byte = static_cast<unsigned char>(c);
    fit += byte < ' ' || byte == 0x7f ? '?' : c;
  }
  return full <= width ? fit : fit + "...";
}

std::string ShortNumber(uint64_t number) {
  if (number < 10'000) return std::to_string(number);
  double value = static_cast<double>(number);
  const char* suffix = " kMGTPE";
  while (value >= 999.95) {
    value /= 1000;
    ++suffix;
  }
  char text[16];
  std::snprintf(text, sizeof(text), "%.*f%c",
                value < 9.9995   ? 3
                : value < 99.995 ? 2
                                 : 1,
                value, *suffix);
  return text;
}

std::string TextTable::Render(size_t width) const {
  std::vector<std::vector<std::string>> texts;
  std::vector<size_t> widths;
  size_t gap = 0;
  for (const auto& [exact, blanks] : {std::pair(true, 2), {true, 1}, {false, 2}, {false, 1}}) {
    texts.clear();
    for (const auto& row : rows_) {
      std::vector<std::string>& line = texts.emplace_back();
      for (const Cell& cell : row) line.push_back(CellText(cell, exact));
    }
    widths = ColumnWidths(headings_, texts);
    gap = static_cast<size_t>(blanks);
    if (std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap) <= width) break;
  }
  std::string out = RenderLine(headings_, widths, gap);
  for (const auto& line : texts) out += RenderLine(line, widths, gap);
  return out;
}

std::string TextTable::RenderLine(const std::vector<std::string>& cells,
                                  const std::vector<size_t>& widths, size_t gap) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t blanks = widths[i] - TextWidth(cells[i]);
    const bool left = rows_.empty() || std::holds_alternative<std::string>(rows_[0][i]);
    if (i) line.append(gap, ' ');
    if (!left) line.append(blanks, ' ');
    line.append(cells[i]);
    if (left) line.append(blanks, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line += '\n';
}

}  // namespace twinpath
