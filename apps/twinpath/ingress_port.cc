// SPDX-License-Identifier: BSD-3-Clause
// Main thread.

#include "apps/twinpath/ingress_port.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/names.h"

namespace twinpath {

absl::StatusOr<size_t> ChoosePort(const Policy& policy, const std::string& port,
                                  std::vector<std::string>* ports) {
  if (port.empty()) {
    if (!ports->empty()) return 0;
    // If the policy is wrong with any port, that is the mistake to report.
    if (const auto compiled = CompilePolicy(policy, {"port"}); !compiled.ok())
      return compiled.status();
    return absl::InvalidArgumentError(
        "--port: found nothing, allowed the port's name in the program: the policy names no port, "
        "and a port's name is part of its losses");
  }
  const auto found = std::find(ports->begin(), ports->end(), port);
  if (found != ports->end()) return static_cast<size_t>(found - ports->begin());
  std::string allowed;
  if (std::any_of(policy.rules.begin(), policy.rules.end(),
                  [](const RuleSpec& rule) { return rule.match.port.has_value(); }))
    allowed = absl::StrCat("a port that the policy names: ", absl::StrJoin(*ports, ", "));
  else if (!IsPortName(port))
    allowed = kPortNameAllowed;
  if (!allowed.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("--port: found \"", port, "\", allowed ", allowed));
  ports->push_back(port);
  return ports->size() - 1;
}

}  // namespace twinpath
