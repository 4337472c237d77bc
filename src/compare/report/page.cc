// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/report/page.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "src/compare/report/plot.h"
#include "src/compare/result/text.h"
#include "src/text/words.h"

namespace twinpath {
namespace report {

std::string StyleOf(const Results& results, const std::string& engine) {
  size_t ours = 0, yardsticks = 0;
  for (const EngineRow& row : results.engines) {
    if (row.name == engine)
      return row.yardstick ? absl::StrCat("y", yardsticks % 8) : absl::StrCat("s", ours % 8);
    // An engine that does not run needs no colour.
    if (row.why.empty()) (row.yardstick ? yardsticks : ours)++;
  }
  return "s7";
}

std::string Table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows, size_t text) {
  const auto line = [text](const std::vector<std::string>& cells, const char* tag) {
    std::string html = "<tr>";
    for (size_t i = 0; i < cells.size(); i++)
      absl::StrAppend(&html, "<", tag, i < text ? R"( class="text">)" : ">", cells[i], "</", tag,
                      ">");
    return html + "</tr>\n";
  };
  std::string html =
      "<div class=\"scroll\"><table><thead>" + line(headings, "th") + "</thead><tbody>\n";
  for (const auto& row : rows) html += line(row, "td");
  return html + "</tbody></table></div>\n";
}

std::string Figure(const std::string& caption, const std::string& svg) {
  return absl::StrCat("<figure><figcaption>", EscapeHtml(caption), "</figcaption>", svg,
                      "</figure>\n");
}

std::string DifferencesSection(const std::vector<Difference>& differences,
                               const std::string& against) {
  if (against.empty()) return "";
  std::vector<std::vector<std::string>> cells;
  size_t beyond = 0;
  for (const Difference& d : differences) {
    const auto value = [&d](double v) {
      return d.what == "CPU" ? absl::StrFormat("%.3f s/Mpkt", v) : RateText(v);
    };
    beyond += d.beyond_noise;
    cells.push_back({EscapeHtml(d.key.engine), EscapeHtml(LossText(d.key.loss)), d.what,
                     d.beyond_noise ? "<b>beyond noise</b>"
                     : d.too_few    ? "too few repetitions"
                                    : "noise",
                     absl::StrCat(d.key.size), value(d.before.median), value(d.now.median),
                     ChangeText(d.change), absl::StrFormat("%.3f", d.p)});
  }
  return absl::StrCat(
      "<section id=\"against\"><h2>Beside an earlier run</h2>\n<p>", beyond, " of ",
      differences.size(), " differences to ", EscapeHtml(against),
      " are beyond noise: a rank-sum test finds them with p below 5 %, and the medians are more "
      "than 1 % apart.</p>\n",
      Table({"engine", "loss", "what", "difference", "size", "before", "now", "change", "p"}, cells,
            4),
      "</section>\n");
}

namespace {

// What a reader wants to know first.
std::string Findings(const Results& results, const std::vector<CaseRow>& rows) {
  std::vector<std::string> items;
  std::map<std::pair<uint32_t, std::string>, std::vector<const CaseRow*>> cases;
  for (const CaseRow& row : rows) {
    const auto engine =
        std::find_if(results.engines.begin(), results.engines.end(),
                     [&row](const EngineRow& e) { return e.name == row.key.engine; });
    if (row.throughput.count && engine != results.engines.end() && !engine->yardstick)
      cases[{row.key.size, row.key.loss}].push_back(&row);
  }
  for (auto& [key, in] : cases) {
    std::sort(in.begin(), in.end(), [](const CaseRow* a, const CaseRow* b) {
      return a->throughput.median > b->throughput.median;
    });
    std::string item = absl::StrFormat("%u bytes%s: <b>%s</b> carries the most, %s", key.first,
                                       key.second.empty() ? "" : ", loss " + EscapeHtml(key.second),
                                       EscapeHtml(in.front()->key.engine),
                                       RateText(in.front()->throughput.median));
    if (in.size() > 1)
      absl::StrAppend(&item, "; ", EscapeHtml(in.back()->key.engine), " the least, ",
                      RateText(in.back()->throughput.median));
    items.push_back(item + ".");
  }
  uint64_t trials = 0, noisy = 0, unconserved = 0;
  for (const CaseRow& row : rows) {
    trials += row.trials;
    noisy += row.noisy;
    unconserved += row.unconserved;
  }
  items.push_back(unconserved == 0
                      ? absl::StrCat("Every packet of all ", trials,
                                     " trials is accounted for: received, lost by the policy, or "
                                     "dropped at a known place.")
                      : absl::StrCat("<span class=\"warn\">", unconserved, " of ", trials,
                                     " trials have packets that no counter explains.</span>"));
  if (noisy)
    items.push_back(absl::StrCat("<span class=\"warn\">", noisy, " of ", trials,
                                 " trials were disturbed by other work on the machine, also when "
                                 "they were repeated.</span>"));
  return absl::StrCat("<ul>\n<li>", absl::StrJoin(items, "</li>\n<li>"), "</li>\n</ul>\n");
}

std::string SamenessText(const Sameness& same) {
  if (!same.problem.empty())
    return absl::StrCat("<p class=\"warn\">Sameness was not checked: ", EscapeHtml(same.problem),
                        "</p>\n");
  return absl::StrCat("<p>", same.different ? "<b class=\"warn\">Not the same policy: " : "",
                      same.frames, " frames through ",
                      EscapeHtml(absl::StrJoin(same.engines, ", ")), ": ", same.different,
                      " decided differently.", same.different ? "</b>" : "",
                      " Yardsticks have no such policy and are exempt.</p>\n");
}

}  // namespace

std::string Document(const std::string& program, const std::string& title, const std::string& body,
                     const nlohmann::ordered_json& json) {
  // Inside <script>, only "</" and "<!--" could end or change it.
  const std::string data = absl::StrReplaceAll(
      json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
      {{"</", "<\\/"}, {"<!", "<\\u0021"}});
  return absl::StrCat(
      "<!DOCTYPE html>\n<!-- Made by ", program,
      " -->\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      EscapeHtml(title), "</title>\n<style>", kStyle, "</style></head>\n<body><main>\n", body,
      "<script type=\"application/json\" id=\"results\">", data,
      "</script>\n</main></body></html>\n");
}

}  // namespace report

std::string ReportPage(const Results& results, const std::vector<Difference>& differences,
                       const std::string& against) {
  const std::vector<CaseRow> rows = Summarize(results);
  const std::string body = absl::StrCat(
      "<h1>One policy on every engine</h1>\n<p class=\"soft\">", EscapeHtml(results.policy.file),
      ", ", EscapeHtml(results.started), ", ", absl::StrFormat("%.0f s", results.duration),
      ", twinpath ", EscapeHtml(results.version),
      results.complete ? "" : ". <b class=\"warn\">The run has not ended.</b>", "</p>\n",
      report::Findings(results, rows), report::SamenessText(results.sameness),
      report::ThroughputSection(results, rows), report::LatencySection(results, rows),
      report::CpuSection(results, rows), report::LossSection(results, rows),
      report::DropsSection(rows), report::DifferencesSection(differences, against),
      report::FactsSections(results));
  return report::Document("twinpath compare", "One policy on every engine: " + results.policy.file,
                          body, ResultsJson(results));
}

}  // namespace twinpath
