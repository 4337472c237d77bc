// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/result/text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "src/config/describe/describe.h"
#include "src/telemetry/table/text_table.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using Right = TextTable::Right;

struct Unit {
  double from;
  const char* name;
};

std::string WithUnit(double value, std::initializer_list<Unit> units) {
  for (const Unit& unit : units) {
    if (value < unit.from) continue;
    const double scaled = value / unit.from;
    return absl::StrFormat("%.*f %s", scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2, scaled, unit.name);
  }
  return absl::StrFormat("%.0f %s", value, (units.end() - 1)->name);
}

std::string Between(const Estimate& e, std::string (*text)(double)) {
  return e.count == 0 ? "" : absl::StrCat(text(e.low), " to ", text(e.high));
}

// Loss beside what the models ask for.
std::string LossCell(const CaseRow& row) {
  if (row.matched == 0) return "";
  const double matched = static_cast<double>(row.matched);
  return absl::StrCat(ShareText(static_cast<double>(row.lost) / matched), " of ",
                      ShareText(row.lost_asked / matched));
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string MissingText(const Results& results) {
  std::string text;
  for (const EngineRow& row : results.engines) {
    if (row.why.empty()) continue;
    absl::StrAppend(&text, "  ", row.name, ": ", row.why);
    if (!row.needs.empty()) absl::StrAppend(&text, " (needs: ", row.needs, ")");
    absl::StrAppend(&text, "\n");
  }
  return text.empty() ? "" : absl::StrCat("\nNot run here\n\n", text);
}

std::string LatencyText(const std::vector<CaseRow>& rows, size_t width) {
  TextTable table({"engine", "size", "loss", "load", "p50", "p99", "p99.9", "max", "CPU s/Mpkt"});
  bool any = false;
  for (const CaseRow& row : rows) {
    for (const LoadRow& load : row.loads) {
      if (load.p50.count == 0) continue;
      any = true;
      table.AddRow({row.key.engine, uint64_t{row.key.size}, LossText(row.key.loss),
                    Right{PercentText(load.load, 3)}, Right{TimeText(load.p50.median)},
                    Right{TimeText(load.p99.median)}, Right{TimeText(load.p999.median)},
                    Right{TimeText(load.most.median)},
                    Right{absl::StrFormat("%.3f", load.cpu.median)}});
    }
  }
  return any ? absl::StrCat("\nLatency by load\n\n", table.Render(width)) : "";
}

}  // namespace

std::string CsvField(const nlohmann::ordered_json& value) {
  return value.is_string() ? Quoted(value.get<std::string>()) : value.dump();
}

std::string RateText(double rate) {
  return WithUnit(rate, {{1e6, "Mpps"}, {1e3, "kpps"}, {1, "pps"}});
}

std::string TimeText(double nanoseconds) {
  return WithUnit(nanoseconds, {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}});
}

std::string ShareText(double share) { return PercentText(share, 4); }

std::string LossText(const std::string& loss) {
  return loss.empty() ? "policy's own" : PercentOf(loss);
}

std::string ResultsText(const Results& results, size_t width) {
  const std::vector<CaseRow> rows = Summarize(results);
  TextTable table(
      {"engine", "size", "loss", "throughput", "interval", "CPU s/Mpkt", "lost of asked", "notes"});
  for (const CaseRow& row : rows) {
    std::vector<std::string> notes;
    if (row.generator_limited) notes.emplace_back("at full speed");
    if (row.noisy) notes.push_back(absl::StrCat(row.noisy, " of ", row.trials, " noisy"));
    if (row.unconserved) notes.push_back(absl::StrCat(row.unconserved, " not conserved"));
    table.AddRow({row.key.engine, uint64_t{row.key.size}, LossText(row.key.loss),
                  Right{row.throughput.count ? RateText(row.throughput.median) : ""},
                  Right{Between(row.throughput, RateText)},
                  Right{row.cpu.count ? absl::StrFormat("%.3f", row.cpu.median) : ""},
                  Right{LossCell(row)}, absl::StrJoin(notes, "; ")});
  }
  std::string text = "Throughput\n\n" + table.Render(width) + LatencyText(rows, width);
  absl::StrAppend(&text, MissingText(results));
  for (const std::string& note : results.notes) absl::StrAppend(&text, "\n", note, "\n");
  return text;
}

std::string DifferencesText(const std::vector<Difference>& differences, size_t width) {
  if (differences.empty()) return "The two runs have no case in common.\n";
  TextTable table({"engine", "size", "loss", "what", "before", "now", "change", "p", ""});
  size_t beyond = 0, too_few = 0;
  for (const Difference& d : differences) {
    const auto value = [&d](double v) {
      return d.what == "CPU" ? absl::StrFormat("%.3f s/Mpkt", v) : RateText(v);
    };
    table.AddRow({d.key.engine, uint64_t{d.key.size}, LossText(d.key.loss), d.what,
                  Right{value(d.before.median)}, Right{value(d.now.median)},
                  Right{ChangeText(d.change)}, Right{absl::StrFormat("%.3f", d.p)},
                  std::string(d.beyond_noise ? "beyond noise"
                              : d.too_few    ? "too few repetitions"
                                             : "noise")});
    beyond += d.beyond_noise;
    too_few += d.too_few;
  }
  std::string text = table.Render(width);
  absl::StrAppend(&text, "\n", beyond, " of ", differences.size(), " differences are beyond noise");
  if (too_few)
    absl::StrAppend(&text, "; ", too_few, " have too few repetitions to tell (each run needs 4)");
  return text + ".\n";
}

std::string ResultsCsv(const Results& results) {
  const nlohmann::ordered_json json = ResultsJson(results);
  // A trial without latency has no such fields, so the names are those of the longest one.
  std::vector<std::string> names;
  for (const auto& trial : json["trials"])
    if (trial.size() > names.size()) {
      names.clear();
      for (const auto& [name, value] : trial.items()) names.push_back(name);
    }
  std::string text = absl::StrCat(absl::StrJoin(names, ","), "\r\n");
  for (const auto& trial : json["trials"]) {
    std::vector<std::string> fields;
    for (const std::string& name : names)
      fields.push_back(trial.contains(name) ? CsvField(trial[name]) : "");
    absl::StrAppend(&text, absl::StrJoin(fields, ","), "\r\n");
  }
  return text;
}

}  // namespace twinpath
