// SPDX-License-Identifier: BSD-3-Clause
// Asks CLI11's options, not the text of its errors, what is wrong. Main thread.

#include "apps/command_line.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"

namespace twinpath {
namespace {

// "found \"0\", allowed an integer from 1 to 64"
std::string Found(const std::string& text, const std::string& allowed) {
  return std::string(FoundError("", "", Quote(text), allowed).message());
}

// Whether all of `text` is a number from `low` to `high`. NaN fails both comparisons.
template <typename Number>
bool IsFrom(const std::string& text, Number low, Number high) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= low && number <= high;
}

CLI::Validator Check(const std::string& words, const std::string& allowed,
                     const std::function<bool(const std::string&)>& good) {
  return CLI::Validator(
      [good, allowed](const std::string& text) {
        return good(text) ? std::string() : Found(text, allowed);
      },
      words);
}

// The subcommand that was chosen, or `app`.
CLI::App& Chosen(CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : *chosen.front();
}

std::string HelpOf(const std::string& program) {
  return absl::StrCat(" (see ", program, " --help)");
}

// The option that CLI11's message is about: the longest of the names in it. Null: none. All
// releases name the option, in different sentences.
CLI::Option* Named(const std::vector<CLI::Option*>& options, const std::string& message) {
  const auto in_name = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  };
  CLI::Option* named = nullptr;
  for (CLI::Option* option : options) {
    const std::string name = option->get_name();
    const size_t at = message.find(name), end = at + name.size();
    if (name.empty() || at == std::string::npos || (at > 0 && in_name(message[at - 1])) ||
        (end < message.size() && in_name(message[end])))
      continue;
    if (named == nullptr || named->get_name().size() < name.size()) named = option;
  }
  return named;
}

// What an option's value may be: in the words of its check, otherwise its form in --help.
std::string Allowed(CLI::Option* option) {
  const std::string allowed = ", allowed ";
  try {
    const std::string wrong = (*option->get_validator(0))(std::string());
    if (const size_t at = wrong.find(allowed); at != std::string::npos)
      return wrong.substr(at + allowed.size());
  } catch (const CLI::OptionNotFound&) {  // it has no check
  }
  return option->get_option_text().empty() ? option->get_type_name() : option->get_option_text();
}

// Too few values, too many, or a wrong one.
std::string Mismatch(CLI::Option* option) {
  const std::string name = option->get_name();
  const size_t values = option->results().size();
  if (option->get_expected_max() == 0) return name + ": found a value, allowed none";
  if (values == 1)
    return absl::StrCat(name, ": found ", Quote(option->results().front()), ", allowed ",
                        Allowed(option));
  if (values > 1) return absl::StrCat(name, ": found ", values, " values, allowed one");
  return absl::StrCat(name, ": found no value, allowed ", Allowed(option));
}

// Options, subcommands or words that the program does not have.
std::string Unexpected(const std::string& word, CLI::App& chosen,
                       const std::vector<CLI::Option*>& options, const std::string& program) {
  const bool option = absl::StartsWith(word, "-");
  std::vector<std::string> known;
  if (option)
    for (const CLI::Option* each : options) known.push_back(each->get_name());
  else
    known = Subcommands(chosen);
  const std::string name = option ? word.substr(0, word.find('=')) : word;
  std::string hint = name.empty() ? "" : DidYouMean(name, {known.begin(), known.end()});
  if (!hint.empty()) hint = "; " + hint;
  if (option)
    return absl::StrCat(name, ": found an unknown option, allowed those of ", program, " --help",
                        hint);
  if (!known.empty())
    return absl::StrCat("found ", Quote(word),
                        ", allowed a subcommand: ", absl::StrJoin(known, ", "), hint);
  return absl::StrCat("found ", Quote(word), ", allowed no further argument", HelpOf(program));
}

// Options that must be given, alone or with or without others. Empty: there is no such mistake.
std::string Missing(const std::vector<CLI::Option*>& options, const std::string& program) {
  for (const CLI::Option* option : options)
    if (option->get_required() && option->count() == 0)
      return absl::StrCat(option->get_name(), " is required", HelpOf(program));
  for (const CLI::Option* option : options) {
    if (option->count() == 0) continue;
    for (const CLI::Option* other : option->get_needs())
      if (other->count() == 0)
        return absl::StrCat(option->get_name(), " requires ", other->get_name());
    for (const CLI::Option* other : option->get_excludes())
      if (other->count() != 0)
        return absl::StrCat(option->get_name(), " and ", other->get_name(),
                            " are mutually exclusive");
  }
  return "";
}

std::string WhatIsWrong(CLI::App& app, CLI::App& chosen, const CLI::ParseError& error,
                        const std::string& program) {
  std::vector<CLI::Option*> options = chosen.get_options();
  std::string what;
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::ExtrasError:
      if (const std::vector<std::string> extra = app.remaining(true); !extra.empty())
        return Unexpected(extra.front(), chosen, options, program);
      break;
    case CLI::ExitCodes::RequiredError:
    case CLI::ExitCodes::RequiresError:
    case CLI::ExitCodes::ExcludesError:
      what = Missing(options, program);
      break;
    case CLI::ExitCodes::ArgumentMismatch:
    case CLI::ExitCodes::ConversionError:
      if (CLI::Option* option = Named(options, error.what())) what = Mismatch(option);
      break;
    default:
      break;
  }
  return what.empty() ? error.what() : what;  // those of the checks are complete
}

}  // namespace

std::string WrongSeconds(const std::string& text) {
  if (IsFrom(text, 1e-3, 1e9)) return "";
  return Found(text, "a number of seconds from 0.001 to 1000000000");
}

std::string WrongCount(const std::string& text) {
  if (IsFrom(text, uint64_t{1}, UINT64_MAX)) return "";
  return Found(text, "an integer from 1 to 18446744073709551615");
}

CLI::Validator IntegerFrom(uint64_t low, uint64_t high) {
  return Check(absl::StrCat(low, " to ", high), absl::StrCat("an integer from ", low, " to ", high),
               [low, high](const std::string& text) { return IsFrom(text, low, high); });
}

CLI::Validator NumberFrom(double low, double high) {
  const std::string range = absl::StrFormat("%.10g to %.10g", low, high);
  return Check(range, absl::StrCat("a number from ", range),
               [low, high](const std::string& text) { return IsFrom(text, low, high); });
}

CLI::Validator OneOf(const std::vector<std::string>& words) {
  const std::string all = absl::StrJoin(words, ", ");
  return Check(absl::StrCat("{", absl::StrJoin(words, ","), "}"), all,
               [words](const std::string& text) {
                 return std::find(words.begin(), words.end(), text) != words.end();
               });
}

std::vector<std::string> Subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(each->get_name());
  return names;
}

UsageError ExplainUsage(CLI::App& app, const CLI::ParseError& error) {
  CLI::App& chosen = Chosen(app);
  const std::string program =
      &chosen == &app ? app.get_name() : absl::StrCat(app.get_name(), " ", chosen.get_name());
  return {program, WhatIsWrong(app, chosen, error, program)};
}

}  // namespace twinpath
