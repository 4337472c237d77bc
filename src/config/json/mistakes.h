// SPDX-License-Identifier: BSD-3-Clause
// Several mistakes of one document in one status. The status's message is the first mistake; the
// others, each with its place and a hint, travel in its payload. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_JSON_MISTAKES_H_
#define TWINPATH_CONFIG_JSON_MISTAKES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

struct Mistake {
  std::string message;  // "FILE: /pointer: found ..., allowed ..."
  std::string pointer;  // RFC 6901; empty: unknown
  std::string hint;     // "did you mean \"dst_port\"?"; empty: none
};

// One mistake as InvalidArgument.
absl::Status MistakeError(const Mistake& mistake);

class Mistakes {
 public:
  // Adds what `status` stands for; OK stands for nothing.
  void Add(const absl::Status& status);
  bool none() const { return mistakes_.empty(); }
  // OK where there are none; else InvalidArgument for all of them, or the only status as it was.
  absl::Status status() const;

 private:
  std::vector<Mistake> mistakes_;
  absl::Status first_;
};

// All mistakes that `status` stands for, in the order in which they were found. A status that was
// not made here is one mistake.
std::vector<Mistake> MistakesOf(const absl::Status& status);

// `status` for those who print one line: with the hint of the first mistake, and how many follow.
// `lister` is a command that prints all; empty: none.
absl::Status InOneLine(const absl::Status& status, std::string_view lister = "");

// A place in a text, in bytes, from 1.
struct TextPosition {
  size_t line = 0, column = 0;
};

// Where the value that `pointer` leads to, or its key, begins in `text`, which is valid JSON. Of a
// value that is missing: where the nearest value around it begins.
TextPosition PositionOf(std::string_view text, std::string_view pointer);

// "did you mean \"WORD\"?" for the word of `allowed` that is most like `word`; empty: none is like.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& allowed);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_MISTAKES_H_
