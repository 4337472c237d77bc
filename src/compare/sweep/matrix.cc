// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/sweep/matrix.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "src/config/json/json_document.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr char kSet[] = "--set";
constexpr char kSetAllowed[] =
    "POINTER=VALUE,..., where POINTER is a JSON pointer such as /rules/0/loss/rate";
constexpr size_t kMostNames = 12;  // in an error

// The parts between the commas that are outside of quotes, brackets and braces.
std::vector<std::string> SplitValues(std::string_view text) {
  std::vector<std::string> values(1);
  size_t depth = 0;
  bool quoted = false, escaped = false;
  for (char c : text) {
    if (c == ',' && depth == 0 && !quoted) {
      values.emplace_back();
      continue;
    }
    values.back().push_back(c);
    if (quoted) {
      if (c == '"' && !escaped) quoted = false;
      escaped = c == '\\' && !escaped;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      depth++;
    } else if ((c == ']' || c == '}') && depth > 0) {
      depth--;
    }
  }
  return values;
}

absl::StatusOr<ordered_json> ParseValue(const std::string& pointer, const std::string& text) {
  ordered_json value = ordered_json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  if (text.empty() || std::string_view("[{\"").find(text[0]) != std::string_view::npos)
    return FoundError(kSet, pointer, Quote(text), "a word, a number or other JSON");
  return ordered_json(text);
}

// The tokens of a JSON pointer, unescaped. Each "~" must begin "~0" or "~1".
absl::StatusOr<std::vector<std::string>> Tokens(const std::string& pointer) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < pointer.size(); i++) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] != '~') {
      tokens.back().push_back(pointer[i]);
    } else if (i++; i < pointer.size() && (pointer[i] == '0' || pointer[i] == '1')) {
      tokens.back().push_back(pointer[i] == '0' ? '~' : '/');
    } else {
      return FoundError(kSet, "", Quote(pointer), "~ only in ~0 (for ~) and ~1 (for /)");
    }
  }
  return tokens;
}

std::string MembersText(const ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  const bool all = names.size() <= kMostNames;
  if (!all) names.resize(kMostNames);
  return names.empty() ? "no member: it is empty"
                       : absl::StrCat(absl::StrJoin(names, ", "), all ? "" : ", ...");
}

std::string JsonText(const ordered_json& value) {
  return value.is_string() ? Quote(value.get<std::string>())
                           : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// Sets one place of `policy`.
absl::Status SetPlace(const std::string& pointer, const std::string& text,
                      const ordered_json& value, ordered_json* policy) {
  const auto tokens = Tokens(pointer);
  if (!tokens.ok()) return tokens.status();
  const std::string option = absl::StrCat(kSet, " ", pointer, "=", text);
  ordered_json* at = policy;
  std::string above;  // the pointer to *at
  for (size_t i = 0; i < tokens->size(); i++) {
    const std::string& token = (*tokens)[i];
    const bool last = i + 1 == tokens->size();
    const std::string place = above.empty() ? "the policy" : above;
    if (at->is_array()) {
      size_t index = 0;
      const bool number =
          absl::SimpleAtoi(token, &index) && (token == "0" || (token[0] != '0' && token[0] != '+'));
      if (!number || index >= at->size())
        return FoundError(
            option, "", absl::StrCat("item ", Quote(token), " of ", place),
            at->empty() ? "none: the array is empty" : absl::StrCat("0 to ", at->size() - 1));
      at = &(*at)[index];
    } else if (at->is_object()) {
      if (!at->contains(token) && !last)
        return FoundError(option, "", absl::StrCat("member ", Quote(token), " of ", place),
                          absl::StrCat("one that the policy has: ", MembersText(*at)));
      at = &(*at)[token];
    } else {
      return FoundError(option, "",
                        absl::StrCat(JsonText(*at), " at ", place, ", which has no members"),
                        "a pointer into an object or an array");
    }
    absl::StrAppend(&above, "/", PointerToken(token));
  }
  *at = value;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SweepParameter> ParseSweepParameter(const std::string& text) {
  const size_t equals = text.find('=');
  if (text.empty() || text[0] != '/' || equals == std::string::npos)
    return FoundError(kSet, "", Quote(text), kSetAllowed);
  SweepParameter parameter;
  parameter.pointer = text.substr(0, equals);
  if (const auto tokens = Tokens(parameter.pointer); !tokens.ok()) return tokens.status();
  parameter.texts = SplitValues(std::string_view(text).substr(equals + 1));
  for (const std::string& one : parameter.texts) {
    auto value = ParseValue(parameter.pointer, one);
    if (!value.ok()) return value.status();
    parameter.values.push_back(*std::move(value));
    if (std::count(parameter.texts.begin(), parameter.texts.end(), one) > 1)
      return FoundError(kSet, parameter.pointer, absl::StrCat(Quote(one), " twice"),
                        "each value once; --repeat measures all of them again");
  }
  return parameter;
}

absl::Status CheckParameters(const std::vector<SweepParameter>& parameters) {
  size_t count = 1;
  for (const SweepParameter& a : parameters) {
    for (const SweepParameter& b : parameters)
      if (&a != &b && absl::StrCat(b.pointer, "/").rfind(a.pointer + "/", 0) == 0)
        return FoundError(kSet, "", absl::StrCat(a.pointer, " and ", b.pointer),
                          "places of which none is inside another, each once");
    count *= a.values.size();
    if (count > kMostCombinations)
      return FoundError(kSet, "", absl::StrCat("more than ", kMostCombinations, " combinations"),
                        absl::StrCat("at most ", kMostCombinations));
  }
  return absl::OkStatus();
}

std::vector<Combination> Combinations(const std::vector<SweepParameter>& parameters) {
  std::vector<Combination> all(1);
  for (const SweepParameter& parameter : parameters) {
    std::vector<Combination> longer;
    for (const Combination& combination : all)
      for (size_t i = 0; i < parameter.values.size(); i++) {
        longer.push_back(combination);
        longer.back().push_back(i);
      }
    all = std::move(longer);
  }
  return all;
}

std::string CombinationText(const std::vector<SweepParameter>& parameters,
                            const Combination& combination) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < parameters.size(); i++)
    parts.push_back(absl::StrCat(parameters[i].pointer, "=", parameters[i].texts[combination[i]]));
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<std::string> PolicyOf(std::string_view text,
                                     const std::vector<SweepParameter>& parameters,
                                     const Combination& combination) {
  ordered_json policy = ordered_json::parse(text.begin(), text.end(), nullptr, false);
  if (!policy.is_object()) return absl::InvalidArgumentError("the policy is not a JSON object");
  for (size_t i = 0; i < parameters.size(); i++) {
    const size_t value = combination[i];
    if (absl::Status set = SetPlace(parameters[i].pointer, parameters[i].texts[value],
                                    parameters[i].values[value], &policy);
        !set.ok())
      return set;
  }
  return policy.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::vector<std::pair<std::string, std::string>> CombinationVariables(
    const std::vector<SweepParameter>& parameters, const Combination& combination) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (size_t i = 0; i < parameters.size(); i++) {
    std::string name = "TWINPATH_SET";
    for (char c : parameters[i].pointer)
      name.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c))
                         ? absl::ascii_toupper(static_cast<unsigned char>(c))
                         : '_');
    const ordered_json& value = parameters[i].values[combination[i]];
    variables.emplace_back(std::move(name), value.is_string()
                                                ? value.get<std::string>()
                                                : parameters[i].texts[combination[i]]);
  }
  return variables;
}

NumericAxis NumbersOf(const SweepParameter& parameter) {
  NumericAxis axis;
  for (size_t i = 0; i < parameter.values.size(); i++) {
    const ordered_json& json = parameter.values[i];
    const std::string text = json.is_string() ? json.get<std::string>() : parameter.texts[i];
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string unit(end, static_cast<size_t>(text.data() + text.size() - end));
    const bool plain = unit.find_first_of("0123456789.:/,") == std::string::npos;
    if (error != std::errc() || !std::isfinite(value) || value < 0 || !plain ||
        (i > 0 && unit != axis.unit))
      return {};
    axis.unit = unit;
    axis.values.push_back(value);
  }
  return axis;
}

}  // namespace twinpath
