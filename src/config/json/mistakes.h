// SPDX-License-Identifier: BSD-3-Clause
// Several mistakes of one document in one status. The status's message is the first mistake. Its
// payload has all mistakes, each with its place and a hint. Control thread, at set-up.

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
  // Adds the mistakes of `status`; OK has none.
  void Add(const absl::Status& status);
  bool none() const { return mistakes_.empty(); }
  // OK if there are no mistakes; the added status if there is only one; otherwise InvalidArgument
  // with all mistakes.
  absl::Status status() const;

 private:
  std::vector<Mistake> mistakes_;
  absl::Status first_;
};

// All mistakes of `status`, in the order in which they were found. A status from elsewhere counts
// as one mistake.
std::vector<Mistake> MistakesOf(const absl::Status& status);

// Rewrites `status` for printing in one line: the first mistake with its hint and its place in
// `text`, and the number of further ones. `lister` is a command that prints all mistakes; empty:
// none.
absl::Status InOneLine(const absl::Status& status, std::string_view text,
                       std::string_view lister = "");

inline constexpr char kPolicyLister[] = "twinpath check";  // prints all mistakes of a policy

// A place in a text, in bytes, from 1.
struct TextPosition {
  size_t line = 0, column = 0;
};

// The position in `text`, which must be valid JSON, of the value that `pointer` leads to, or of its
// key. If the value is missing, the position of the nearest value around it.
TextPosition PositionOf(std::string_view text, std::string_view pointer);

// "did you mean \"WORD\"?" with the word of `allowed` that is most similar to `word`; empty if none
// is similar.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& allowed);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_MISTAKES_H_
