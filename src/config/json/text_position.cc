// SPDX-License-Identifier: BSD-3-Clause
// Finds the line and column of a JSON pointer. Only for errors: the parser keeps no positions,
// because they would slow down every correct policy. Nothing here recurses.

#include <algorithm>

#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"

namespace twinpath {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Follows the tokens of a pointer as far as possible. Returns the offset of the last place.
  size_t Follow(const std::vector<std::string>& tokens) {
    SkipSpace();
    size_t place = at_;
    for (const std::string& token : tokens)
      if (!Enter(token, &place)) break;
    return place;
  }

 private:
  char Now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // Moves to the member or item, and sets *place to its start. False if there is none.
  bool Enter(const std::string& token, size_t* place) {
    const bool object = Now() == '{';
    if (!object && Now() != '[') return false;
    at_++;
    for (size_t index = 0;; index++) {
      SkipSpace();
      if (Now() == '}' || Now() == ']' || Now() == '\0') return false;
      const size_t begin = at_;
      bool wanted = !object && token == std::to_string(index);
      if (object) {
        SkipValue();  // the key
        const auto key = nlohmann::json::parse(text_.substr(begin, at_ - begin), nullptr, false);
        wanted = key.is_string() && PointerToken(key.get<std::string>()) == token;
        SkipSpace();
        at_++;  // the colon
        SkipSpace();
      }
      if (wanted) {
        *place = begin;
        return true;
      }
      SkipValue();
      SkipSpace();
      if (Now() == ',') at_++;
    }
  }

  void SkipString() {
    for (at_++; at_ < text_.size() && Now() != '"'; at_++)
      if (Now() == '\\') at_++;
    at_++;
  }

  void SkipValue() {
    if (Now() == '"') return SkipString();
    if (Now() != '{' && Now() != '[') {
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
      return;
    }
    size_t depth = 0;
    do {
      const char c = Now();
      if (c == '"') {
        SkipString();
        continue;
      }
      depth += c == '{' || c == '[';
      depth -= c == '}' || c == ']';
      at_++;
    } while (depth > 0 && at_ < text_.size());
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

TextPosition PositionOf(std::string_view text, std::string_view pointer) {
  std::vector<std::string> tokens;
  if (!pointer.empty())
    tokens = absl::StrSplit(absl::string_view(pointer.data() + 1, pointer.size() - 1), '/');
  const size_t offset = Scanner(text).Follow(tokens);
  const std::string_view before = text.substr(0, offset);
  return {static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          before.size() - (before.rfind('\n') + 1) + 1};  // npos + 1 is 0
}

}  // namespace twinpath
