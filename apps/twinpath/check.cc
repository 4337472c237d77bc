// SPDX-License-Identifier: BSD-3-Clause
// twinpath check: reads a policy as the datapaths do and explains it. Main thread.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/compile/compile.h"
#include "src/config/describe/check_report.h"
#include "src/config/policy/names.h"
#include "src/config/policy/policy.h"

namespace twinpath {

namespace {

struct CheckOptions {
  std::string policy;
  std::vector<std::string> ports;
  bool json = false;
};

constexpr char kCheck[] = "twinpath check";

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

int Check(const CheckOptions& options) {
  if (absl::Status status = CheckPorts(options.ports); !status.ok())
    return PrintError(kCheck, kWrong, status);
  absl::StatusOr<Policy> policy = LoadPolicy(options.policy);
  if (!policy.ok()) return PrintError(kCheck, kWrong, policy.status());
  std::vector<std::string> ports = options.ports.empty() ? policy->ports : options.ports;
  if (ports.empty()) ports.push_back("");  // a policy that names no port treats all alike
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return PrintError(kCheck, kWrong, compiled.status());
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
