// SPDX-License-Identifier: BSD-3-Clause
// Columns of text for a terminal. One thread.

#ifndef TWINPATH_TELEMETRY_TABLE_TEXT_TABLE_H_
#define TWINPATH_TELEMETRY_TABLE_TEXT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace twinpath {

// Characters that `text` (UTF-8) takes on a terminal, one a code point.
size_t TextWidth(const std::string& text);

// `text` in at most `width` characters, "..." in place of what is cut out; control characters,
// which could steer the terminal, become '?'.
std::string FitText(const std::string& text, size_t width);

// 1234567 -> "1.235M": four digits and k, M, G, T, P or E; whole below 10,000.
std::string ShortNumber(uint64_t number);

// A table with a row of headings. Text stands left, numbers right, a heading as the first row's
// cell below it.
class TextTable {
 public:
  // `Short` is a number that is always shown short.
  struct Short {
    uint64_t number;
  };
  // Text that stands right, as numbers do.
  struct Right {
    std::string text;
  };
  using Cell = std::variant<std::string, uint64_t, Short, Right>;

  explicit TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  // As many cells as there are headings.
  void AddRow(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

  // Within `width` columns where that can be had: with one blank between columns for two, then with
  // the numbers of a million and more shown short, then both. Lines, each ended by '\n', without
  // trailing blanks.
  std::string Render(size_t width) const;

 private:
  std::string RenderLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                         size_t gap) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_TABLE_TEXT_TABLE_H_
