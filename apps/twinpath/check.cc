// SPDX-License-Identifier: BSD-3-Clause
// twinpath check: parses a policy like the datapaths, and explains it or lists its mistakes. Main
// thread.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/compile/compile.h"
#include "src/config/describe/check_report.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/policy/names.h"
#include "src/config/policy/policy.h"

namespace twinpath {

namespace {

struct CheckOptions {
  std::string policy;
  std::vector<std::string> ports;
  bool json = false;
};

using nlohmann::ordered_json;

constexpr char kCheck[] = "twinpath check";
constexpr size_t kMaxPlaced = 100;  // mistakes with a line number; each one rereads the text

absl::Status CheckPorts(const std::vector<std::string>& ports) {
  for (size_t i = 0; i < ports.size(); i++) {
    if (!IsPortName(ports[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("--port: found \"", ports[i], "\", allowed ", kPortNameAllowed));
    }
    if (std::count(ports.begin(), ports.end(), ports[i]) > 1)
      return absl::InvalidArgumentError(absl::StrCat("--port: port ", ports[i], " is given twice"));
  }
  return absl::OkStatus();
}

// Prints every mistake of the policy `text`, in the order of the text.
int PrintMistakes(const CheckOptions& options, const std::string& text,
                  const absl::Status& status) {
  struct Placed {
    Mistake mistake;
    TextPosition at;  // line 0: unknown
  };
  std::vector<Placed> placed;
  for (Mistake& mistake : MistakesOf(status)) {
    const bool known = !mistake.pointer.empty() && placed.size() < kMaxPlaced;
    placed.push_back({mistake, known ? PositionOf(text, mistake.pointer) : TextPosition()});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  ordered_json mistakes = ordered_json::array();
  for (const auto& [mistake, at] : placed) {
    std::string line = mistake.message;
    if (!mistake.hint.empty()) absl::StrAppend(&line, "; ", mistake.hint);
    if (at.line != 0) absl::StrAppend(&line, " (line ", at.line, ", column ", at.column, ")");
    PrintErrorLine(kCheck, kWrong, line);
    ordered_json entry = {{"message", mistake.message}};
    if (!mistake.hint.empty()) entry["hint"] = mistake.hint;
    if (!mistake.pointer.empty()) entry["pointer"] = mistake.pointer;
    if (at.line != 0) entry.update({{"line", at.line}, {"column", at.column}});
    mistakes.push_back(entry);
  }
  if (options.json)
    std::cout << ordered_json({{"file", options.policy}, {"mistakes", mistakes}})
                     .dump(2, ' ', false, ordered_json::error_handler_t::replace)
              << "\n";
  return kWrong;
}

int Check(const CheckOptions& options) {
  if (absl::Status status = CheckPorts(options.ports); !status.ok())
    return PrintError(kCheck, kWrong, status);
  absl::StatusOr<std::string> text = ReadDocument(options.policy);
  if (!text.ok()) return PrintMistakes(options, "", text.status());
  absl::StatusOr<Policy> policy = ParsePolicy(*text, options.policy);
  if (!policy.ok()) return PrintMistakes(options, *text, policy.status());
  std::vector<std::string> ports = options.ports.empty() ? policy->ports : options.ports;
  if (ports.empty()) ports.push_back("");  // a policy that names no port treats all ports alike
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return PrintMistakes(options, *text, compiled.status());
  CheckReport report = MakeCheckReport(*policy, *compiled);
  if (options.json) {
    std::cout << CheckJson(report).dump(2) << "\n";
  } else {
    std::cout << CheckText(report);
  }
  return kDone;
}

}  // namespace

void AddCheck(CLI::App* app, Run* run) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* check = app->add_subcommand("check", "Check a policy and explain it, rule by rule");
  check->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  check
      ->add_option("--port", options->ports,
                   "A port of the program that will run it; repeat in order (default: the ports "
                   "that the policy names)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  check->add_flag("--json", options->json, "Print JSON");
  check->callback([options, run] { *run = [options] { return Check(*options); }; });
}

}  // namespace twinpath
