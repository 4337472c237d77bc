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

// The columns that `text` (UTF-8) takes on a terminal: one for each code point.
size_t TextWidth(const std::string& text);

// `text` in at most `width` characters, with "..." in place of the cut part. Control characters,
// which could control the terminal, become '?'.
std::string FitText(const std::string& text, size_t width);

// 1234567 -> "1.235M": four digits and k, M, G, T, P or E; unchanged below 10,000.
std::string ShortNumber(uint64_t number);

// A table with a row of headings. Text is aligned left, numbers right. A heading is aligned like
// the first row's cell.
class TextTable {
 public:
  // A number that is always shortened.
  struct Short {
    uint64_t number;
  };
  // Text that is aligned right, like numbers.
  struct Right {
    std::string text;
  };
  using Cell = std::variant<std::string, uint64_t, Short, Right>;

  explicit TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  // One cell for each heading.
  void AddRow(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

  // Renders lines of at most `width` columns if possible. To fit, uses one blank instead of two
  // between columns, or shortens numbers of a million or more, or both. Each line ends in '\n',
  // without trailing blanks.
  std::string Render(size_t width) const;

 private:
  std::string RenderLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                         size_t gap) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_TABLE_TEXT_TABLE_H_
