// SPDX-License-Identifier: BSD-3-Clause
// The sections without figures: engines that did not run, the machine, the policy, the commands.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/compare/report/page.h"
#include "src/compare/report/plot.h"

namespace twinpath::report {
namespace {

std::string Missing(const Results& results) {
  std::vector<std::vector<std::string>> cells;
  for (const EngineRow& row : results.engines)
    if (!row.why.empty())
      cells.push_back({EscapeHtml(row.name), EscapeHtml(row.why), EscapeHtml(row.needs)});
  if (cells.empty()) return "";
  return absl::StrCat("<section id=\"missing\"><h2>Not run here</h2>\n",
                      Table({"engine", "why", "what it needs"}, cells, 3), "</section>\n");
}

std::string Commands(const Results& results) {
  std::string html;
  for (const EngineRow& row : results.engines) {
    if (row.commands.empty()) continue;
    absl::StrAppend(&html, "<h3>", EscapeHtml(row.name), row.yardstick ? " (yardstick)" : "",
                    "</h3>\n<p class=\"soft\">", EscapeHtml(row.title), "</p>\n<pre>",
                    EscapeHtml(absl::StrJoin(row.commands, "\n")), "</pre>\n");
  }
  if (html.empty()) return "";
  return absl::StrCat("<section id=\"commands\"><h2>How each engine was started</h2>\n", html,
                      "</section>\n");
}

}  // namespace

std::string FactsTable(const Facts& facts) {
  std::string html = "<table class=\"facts\"><tbody>\n";
  for (const auto& [name, value] : facts)
    absl::StrAppend(&html, "<tr><td class=\"text\">", EscapeHtml(name), "</td><td class=\"text\">",
                    EscapeHtml(value), "</td></tr>\n");
  return html + "</tbody></table>\n";
}

std::string PolicySection(const PolicyFacts& policy) {
  return absl::StrCat("<section id=\"policy\"><h2>The policy</h2>\n<p class=\"soft\">",
                      EscapeHtml(policy.file), ", SHA-256 ", EscapeHtml(policy.sha256),
                      "</p>\n<pre>", EscapeHtml(policy.text), "</pre></section>\n");
}

std::string FactsSections(const Results& results) {
  Facts settings;
  for (const auto& [name, value] : results.settings.items())
    if (!value.empty() && value != "")
      settings.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  std::string notes;
  for (const std::string& note : results.notes)
    absl::StrAppend(&notes, "<p>", EscapeHtml(note), "</p>\n");
  return absl::StrCat(Missing(results), "<section id=\"machine\"><h2>The machine</h2>\n",
                      FactsTable(results.machine),
                      "</section>\n<section id=\"settings\"><h2>What was asked for</h2>\n", notes,
                      FactsTable(settings), "</section>\n", PolicySection(results.policy),
                      Commands(results));
}

}  // namespace twinpath::report
