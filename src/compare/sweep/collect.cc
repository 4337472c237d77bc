// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/collect.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/config/json/json_document.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr char kGet[] = "--get";
constexpr size_t kMostName = 40;  // characters

bool IsPointer(const std::string& text) {
  try {
    (void)ordered_json::json_pointer(text);
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

// The value at a pointer, or null if there is none.
const ordered_json* Find(const ordered_json& document, const std::string& pointer) {
  try {
    return &document.at(ordered_json::json_pointer(pointer));
  } catch (const nlohmann::json::exception&) {
    return nullptr;
  }
}

// The whole output, or its last line that is not empty.
ordered_json ParseOutput(const std::string& output) {
  ordered_json whole = ordered_json::parse(output, nullptr, false);
  if (!whole.is_discarded()) return whole;
  std::string text = output;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  const size_t line = text.rfind('\n');
  if (line == std::string::npos) return whole;
  return ordered_json::parse(text.substr(line + 1), nullptr, false);
}

}  // namespace

absl::StatusOr<SweepResult> ParseSweepResult(const std::string& text) {
  const size_t equals = text.find('=');
  SweepResult result;
  if (equals != std::string::npos) result = {text.substr(0, equals), text.substr(equals + 1)};
  const bool named = !result.name.empty() && result.name.size() <= kMostName &&
                     std::all_of(result.name.begin(), result.name.end(),
                                 [](unsigned char c) { return c >= ' ' && c != 0x7f; });
  if (!named || (!result.pointer.empty() && result.pointer[0] != '/') || !IsPointer(result.pointer))
    return FoundError(kGet, "", Quote(text),
                      absl::StrCat("NAME=POINTER, where NAME has 1 to ", kMostName,
                                   " characters and POINTER is a JSON pointer such as "
                                   "/end/sum/lost_percent"));
  return result;
}

absl::Status CheckResults(const std::vector<SweepResult>& results) {
  for (size_t i = 0; i < results.size(); i++)
    for (size_t j = 0; j < i; j++)
      if (results[i].name == results[j].name)
        return FoundError(kGet, "", absl::StrCat("the name ", Quote(results[i].name), " twice"),
                          "each name once");
  return absl::OkStatus();
}

Collected CollectResults(const std::string& output, const std::vector<SweepResult>& results) {
  Collected collected;
  collected.values.resize(results.size());
  if (results.empty()) return collected;
  const ordered_json document = ParseOutput(output);
  if (document.is_discarded()) {
    collected.problem = output.find_first_not_of(" \r\n\t") == std::string::npos
                            ? "the command printed nothing"
                            : "the command's output is not JSON";
    return collected;
  }
  for (size_t i = 0; i < results.size(); i++) {
    const ordered_json* value = Find(document, results[i].pointer);
    if (value != nullptr && value->is_primitive() && !value->is_null()) {
      collected.values[i] = *value;
      continue;
    }
    absl::StrAppend(&collected.problem, collected.problem.empty() ? "" : "; ", results[i].name,
                    ": the output has ",
                    value == nullptr   ? "nothing"
                    : value->is_null() ? "null"
                                       : value->type_name(),
                    " at ", results[i].pointer.empty() ? "its root" : results[i].pointer,
                    value == nullptr || value->is_null() ? "" : ", allowed a number or a word");
  }
  return collected;
}

}  // namespace twinpath
