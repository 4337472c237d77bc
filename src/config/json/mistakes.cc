// SPDX-License-Identifier: BSD-3-Clause
// Collects mistakes, and finds hints.

#include "src/config/json/mistakes.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/config/json/json_document.h"

namespace twinpath {
namespace {

constexpr char kPayload[] = "twinpath/mistakes";
// ASCII separators. No message contains them, because text from a document is escaped.
constexpr char kUnit = '\x1f', kRecord = '\x1e';
constexpr size_t kMaxMistakes = 1000;  // kept in a status
constexpr size_t kFirstLetter = 3;     // extra distance if the first letters differ
constexpr size_t kMaxWord = 40;        // characters of a word that gets a hint

std::string Pack(const std::vector<Mistake>& mistakes) {
  std::string packed;
  for (const Mistake& mistake : mistakes) {
    if (!packed.empty()) packed += kRecord;
    absl::StrAppend(&packed, mistake.message, std::string(1, kUnit), mistake.pointer,
                    std::string(1, kUnit), mistake.hint);
  }
  return packed;
}

bool IsSubsequence(std::string_view shorter, std::string_view longer) {
  size_t at = 0;
  for (const char c : longer) at += at < shorter.size() && shorter[at] == c;
  return at == shorter.size();
}

// Damerau's distance (optimal string alignment): insertions, deletions, substitutions and swaps of
// neighbors.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> row(3, std::vector<size_t>(b.size() + 1));
  std::iota(row[0].begin(), row[0].end(), 0);
  for (size_t i = 1; i <= a.size(); i++) {
    std::vector<size_t>&now = row[i % 3], &before = row[(i + 2) % 3], &older = row[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      now[j] = std::min({before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], older[j - 2] + 1);
    }
  }
  return row[a.size() % 3][b.size()];
}

bool IsSwap(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

}  // namespace

absl::Status MistakeError(const Mistake& mistake) {
  absl::Status status = absl::InvalidArgumentError(mistake.message);
  status.SetPayload(kPayload, absl::Cord(Pack({mistake})));
  return status;
}

void Mistakes::Add(const absl::Status& status) {
  if (status.ok()) return;
  if (mistakes_.empty()) first_ = status;
  for (Mistake& mistake : MistakesOf(status))
    if (mistakes_.size() < kMaxMistakes) mistakes_.push_back(std::move(mistake));
}

absl::Status Mistakes::status() const {
  if (mistakes_.size() < 2) return first_;
  absl::Status all = absl::InvalidArgumentError(mistakes_.front().message);
  all.SetPayload(kPayload, absl::Cord(Pack(mistakes_)));
  return all;
}

std::vector<Mistake> MistakesOf(const absl::Status& status) {
  if (status.ok()) return {};
  const auto payload = status.GetPayload(kPayload);
  if (!payload) return {{std::string(status.message()), "", ""}};
  std::vector<Mistake> mistakes;
  const std::string packed(*payload);
  for (const absl::string_view record : absl::StrSplit(packed, kRecord)) {
    std::vector<std::string> parts = absl::StrSplit(record, kUnit);
    parts.resize(3);
    mistakes.push_back({parts[0], parts[1], parts[2]});
  }
  return mistakes;
}

absl::Status InOneLine(const absl::Status& status, std::string_view text, std::string_view lister) {
  const std::vector<Mistake> mistakes = MistakesOf(status);
  if (mistakes.empty()) return status;
  std::string line = mistakes.front().message;
  if (!mistakes.front().hint.empty()) absl::StrAppend(&line, "; ", mistakes.front().hint);
  if (const std::string& pointer = mistakes.front().pointer; !text.empty() && !pointer.empty()) {
    const TextPosition at = PositionOf(text, pointer);
    absl::StrAppend(&line, " (line ", at.line, ", column ", at.column, ")");
  }
  if (const size_t more = mistakes.size() - 1; more != 0)
    absl::StrAppend(&line, " (and ", more, more == 1 ? " more mistake" : " more mistakes",
                    lister.empty() ? "" : ": ", std::string(lister), ")");
  return absl::Status(status.code(), line);
}

std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& allowed) {
  if (word.empty() || word.size() > kMaxWord) return "";
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view best;
  size_t least = 0;
  for (const std::string_view candidate : allowed) {
    const size_t distance = Distance(lower, candidate);
    const bool like = distance == 0 || distance <= (lower.size() - 1) / 3 ||
                      (distance == 1 && IsSwap(lower, candidate)) ||
                      (lower.size() >= 3 && IsSubsequence(lower, candidate)) ||
                      (candidate.size() >= 3 && IsSubsequence(candidate, lower));
    // The first letter is rarely wrong: "sport" means "src_port" rather than "port".
    const size_t cost = distance + (lower[0] == candidate[0] ? 0 : kFirstLetter);
    if (!like || (!best.empty() && cost >= least)) continue;
    best = candidate;
    least = cost;
  }
  return best.empty() ? "" : absl::StrCat("did you mean ", Quote(best), "?");
}

}  // namespace twinpath
