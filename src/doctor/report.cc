// SPDX-License-Identifier: BSD-3-Clause
// Prints one line for each finding, with the need and the fix below it, and the verdict last. Pure
// functions.

#include "src/doctor/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;

const char* GradeName(Grade grade) {
  switch (grade) {
    case Grade::kOk:
      return "ok";
    case Grade::kNote:
      return "note";
    case Grade::kWarning:
      return "warning";
    default:
      return "missing";
  }
}

const char* PathName(Finding::Path path) {
  if (path == Finding::Path::kDpdk) return "dpdk";
  return path == Finding::Path::kXdp ? "xdp" : "both";
}

bool Keeps(const Finding& finding, const std::string& path) {
  const std::string whose = PathName(finding.path);
  return finding.grade == Grade::kMissing && (whose == path || whose == "both");
}

std::string Name(const Finding& finding) {
  return finding.subject.empty() ? finding.check
                                 : absl::StrCat(finding.check, " ", finding.subject);
}

}  // namespace

bool DoctorReport::Starts(const PathVerdict& verdict) const {
  return verdict.refusal.empty() &&
         std::none_of(findings.begin(), findings.end(),
                      [&](const Finding& finding) { return Keeps(finding, verdict.path); });
}

bool DoctorReport::Starts() const {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [&](const PathVerdict& verdict) { return Starts(verdict); });
}

std::string DoctorText(const DoctorReport& report) {
  size_t width = 0;
  for (const Finding& finding : report.findings) width = std::max(width, Name(finding).size());
  width = std::min<size_t>(width, 32);
  const std::string indent(width + 11, ' ');
  std::string text;
  for (const Finding& finding : report.findings) {
    const std::string grade =
        finding.grade == Grade::kMissing ? "MISSING" : GradeName(finding.grade);
    absl::StrAppendFormat(&text, "%-7s  %-*s  %s\n", grade, width, Name(finding), finding.found);
    // If nothing is wrong, the need is on the same line.
    if (!finding.needed.empty() && finding.grade == Grade::kOk) {
      text.pop_back();
      absl::StrAppend(&text, finding.found.empty() ? "" : "; ", "needed: ", finding.needed, "\n");
    } else if (!finding.needed.empty()) {
      absl::StrAppend(&text, indent.substr(0, width + 11), "needed: ", finding.needed, "\n");
    }
    if (!finding.fix.empty()) absl::StrAppend(&text, indent, "fix:    ", finding.fix, "\n");
  }
  text += "\n";
  for (const PathVerdict& verdict : report.verdicts) {
    const auto missing =
        std::count_if(report.findings.begin(), report.findings.end(),
                      [&](const Finding& finding) { return Keeps(finding, verdict.path); });
    absl::StrAppend(&text, "twinpath-", verdict.path, " ",
                    report.Starts(verdict) ? "would start" : "would not start",
                    report.profile.empty() ? verdict.what.empty() ? "" : " " + verdict.what
                                           : " with " + report.profile);
    if (missing != 0)
      absl::StrAppend(&text, ": ", missing, missing == 1 ? " thing is" : " things are", " missing");
    text += "\n";
    if (!verdict.refusal.empty())
      absl::StrAppend(&text, "  it would fail with: ", verdict.refusal, "\n");
  }
  return text;
}

nlohmann::ordered_json DoctorJson(const DoctorReport& report) {
  using nlohmann::ordered_json;
  ordered_json json = {{"profile", nullptr}, {"starts", report.Starts()}};
  if (!report.profile.empty()) json["profile"] = report.profile;
  json["paths"] = ordered_json::object();
  for (const PathVerdict& verdict : report.verdicts)
    json["paths"][verdict.path] = {{"starts", report.Starts(verdict)},
                                   {"refusal", verdict.refusal}};
  json["checks"] = ordered_json::array();
  for (const Finding& finding : report.findings)
    json["checks"].push_back({{"check", finding.check},
                              {"subject", finding.subject},
                              {"grade", GradeName(finding.grade)},
                              {"path", PathName(finding.path)},
                              {"found", finding.found},
                              {"needed", finding.needed},
                              {"mend", finding.fix}});
  return json;
}

}  // namespace twinpath
