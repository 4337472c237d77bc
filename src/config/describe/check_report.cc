// SPDX-License-Identifier: BSD-3-Clause
// Makes a report from policy and tables, and text or JSON from the report. Pure functions.

#include "src/config/describe/check_report.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/describe/describe.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/loss.h"
#include "src/config/policy/reachable.h"

namespace twinpath {
namespace {

constexpr size_t kMaxWarnings = 20;

std::string RuleAt(const Policy& policy, size_t rule) {
  return absl::StrCat("/rules/", rule, " (", policy.rules[rule].name, ")");
}

std::vector<std::string> Warnings(const Policy& policy, const std::vector<Reach>& reach) {
  std::vector<std::string> warnings;
  size_t omitted = 0;
  for (size_t r = 0; r < policy.rules.size(); r++) {
    const bool unnamed = policy.rules[r].name == absl::StrCat("rule-", r);
    if (warnings.size() >= kMaxWarnings) {
      omitted += static_cast<size_t>(unnamed) + !reach[r].reachable;
      continue;
    }
    if (!reach[r].reachable) {
      warnings.push_back(absl::StrCat(RuleAt(policy, r),
                                      " can never match: ", WhyUnreachable(policy, r, reach[r])));
    }
    if (unnamed && policy.rules[r].loss.model != LossSpec::Model::kNone) {
      warnings.push_back(absl::StrCat("/rules/", r, " has no name: its losses are those of \"rule-",
                                      r, "\" and change when a rule is put before it"));
    }
  }
  if (omitted) warnings.push_back(absl::StrCat("and ", omitted, " more of these"));
  return warnings;
}

std::string Bytes(size_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  if (bytes < 1024 * 1024) return absl::StrFormat("%.1f KiB", bytes / 1024.0);
  return absl::StrFormat("%.1f MiB", bytes / 1024.0 / 1024.0);
}

std::string Count(size_t n, const std::string& noun) {
  return absl::StrCat(n, " ", noun, n == 1 ? "" : "s");
}

std::string PortText(const CheckReport::Port& port, bool drops_malformed) {
  if (!port.reads_headers) {
    return absl::StrCat("headers are not parsed: ", Quote(port.fallback),
                        " matches every frame, also malformed ones");
  }
  return absl::StrCat("frames are parsed, malformed ones ",
                      drops_malformed ? "dropped and counted" : "as far as they can be read",
                      "; at most ", Count(port.shapes, "lookup"), " a packet, then ",
                      Quote(port.fallback));
}

nlohmann::ordered_json RuleJson(const CheckReport::Rule& rule) {
  nlohmann::ordered_json json = {
      {"name", rule.name},
      {"match", rule.match},
      {"when", rule.when.empty() ? "always" : rule.when},
      {"fate", rule.fate},
      {"model", LossModelName(rule.loss.model)},
      {"scope", LossScopeName(rule.loss.scope)},
      {"loss_rate", rule.statistics.rate},
      {"mean_burst", rule.statistics.mean_burst},
      {"reachable", rule.reachable},
  };
  if (std::isinf(rule.statistics.mean_burst)) json["mean_burst"] = nullptr;
  return json;
}

}  // namespace

CheckReport MakeCheckReport(const Policy& policy, const CompiledPolicy& compiled) {
  CheckReport report;
  report.file = policy.file;
  report.sha256 = policy.sha256;
  report.seed = policy.seed;
  report.drops_malformed = policy.drops_malformed;
  const std::vector<Reach> reach = ReachOf(policy, compiled.ports);
  auto add = [&](const RuleSpec& rule, const std::string& match) {
    const LossStatistics statistics = StatisticsOf(rule.loss);
    report.rules.push_back({rule.name, match, DescribeWhen(rule), DescribeFate(rule),
                            DescribeStatistics(rule, statistics), rule.loss, statistics,
                            reach[report.rules.size()].reachable});
  };
  for (const RuleSpec& rule : policy.rules) add(rule, DescribeMatch(rule.match));
  add(policy.fallback, policy.rules.empty() ? "everything" : "everything else");
  std::set<uint16_t> shapes;
  for (const tp_shape& shape : compiled.shapes)
    if (shape.min_rule != TP_NO_RULE) shapes.insert(shape.mask.shape);
  report.shapes = shapes.size();
  report.keys = compiled.entries.size();
  report.table_bytes = TableBytes(compiled) + compiled.plans.size() * sizeof(tp_plan);
  report.queue_bytes = compiled.rules.size() *
                       (sizeof(tp_state) + (compiled.rule_extras ? sizeof(tp_rule_extras) : 0));
  report.has_flows = compiled.has_flows;
  for (size_t p = 0; p < compiled.ports.size(); p++) {
    const tp_plan& plan = compiled.plans[p];
    const auto first = compiled.shapes.begin() + plan.first_shape;
    const auto looked_up = static_cast<uint32_t>(
        std::count_if(first, first + plan.n_shapes,
                      [](const tp_shape& shape) { return shape.min_rule != TP_NO_RULE; }));
    report.ports.push_back({compiled.ports[p], plan.tier != TP_TIER_BLIND, looked_up,
                            compiled.rule_names[plan.fallback]});
  }
  report.warnings = Warnings(policy, reach);
  return report;
}

std::string CheckText(const CheckReport& report) {
  std::string text = absl::StrCat(report.file, ": seed ", report.seed, ", SHA-256 ", report.sha256,
                                  "\n\nThe first rule that matches decides:\n");
  for (size_t r = 0; r < report.rules.size(); r++) {
    const CheckReport::Rule& rule = report.rules[r];
    std::string number = r + 1 < report.rules.size() ? absl::StrCat(r + 1, ". ") : "";
    absl::StrAppend(&text, "  ", number, rule.name, ": ", rule.match, rule.when.empty() ? "" : ", ",
                    rule.when, ": ", rule.fate, rule.reachable ? "" : " [never reached]", "\n");
    if (rule.loss.model != LossSpec::Model::kNone) {
      absl::StrAppend(&text, "     ", rule.long_run, "\n");
    }
  }
  absl::StrAppend(&text, "\nCost: ", Count(report.shapes, "shape"), " of match, ",
                  Count(report.keys, "key"), "; ", Bytes(report.table_bytes),
                  " of tables shared by all queues, ", Bytes(report.queue_bytes),
                  " of streams for each queue", report.has_flows ? ", and a flow table" : "", "\n");
  for (const CheckReport::Port& port : report.ports) {
    absl::StrAppend(&text, "  ", port.name.empty() ? "any port" : absl::StrCat("port ", port.name),
                    ": ", PortText(port, report.drops_malformed), "\n");
  }
  if (!report.warnings.empty()) text += "\nWarnings:\n";
  for (const std::string& warning : report.warnings) absl::StrAppend(&text, "  ", warning, "\n");
  return text;
}

nlohmann::ordered_json CheckJson(const CheckReport& report) {
  nlohmann::ordered_json json;
  json["file"] = report.file;
  json["sha256"] = report.sha256;
  json["seed"] = report.seed;
  json["malformed"] = report.drops_malformed ? "drop" : "match";
  json["rules"] = nlohmann::ordered_json::array();
  for (const CheckReport::Rule& rule : report.rules) {
    json["rules"].push_back(RuleJson(rule));
  }
  json["cost"] = {{"shapes", report.shapes},
                  {"keys", report.keys},
                  {"table_bytes", report.table_bytes},
                  {"queue_bytes", report.queue_bytes},
                  {"flow_table", report.has_flows}};
  json["ports"] = nlohmann::ordered_json::array();
  for (const CheckReport::Port& port : report.ports) {
    json["ports"].push_back({{"name", port.name},
                             {"parses", port.reads_headers},
                             {"shapes", port.shapes},
                             {"fallback", port.fallback}});
  }
  json["warnings"] = report.warnings;
  return json;
}

}  // namespace twinpath
