// SPDX-License-Identifier: BSD-3-Clause
// Finds the ports that a policy names. Pure functions.

#include "src/config/policy/port_uses.h"

#include <algorithm>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/policy/names.h"

namespace twinpath {

std::vector<PortUse> PortUses(const Policy& policy) {
  std::vector<PortUse> uses;
  std::unordered_set<std::string> seen;
  auto scan = [&](const RuleSpec& rule, auto pointer) {
    if (rule.match.port && seen.insert(*rule.match.port).second) {
      uses.push_back({*rule.match.port, absl::StrCat(pointer(), "/match/port")});
    }
    if (rule.forward.action == TP_ACTION_PORT && seen.insert(rule.forward.port).second) {
      uses.push_back({rule.forward.port, absl::StrCat(pointer(), "/forward/port")});
    }
  };
  for (size_t i = 0; i < policy.rules.size(); i++) {
    scan(policy.rules[i], [i] { return absl::StrCat("/rules/", i); });
  }
  scan(policy.fallback, [] { return std::string("/default"); });
  return uses;
}

absl::Status CheckPorts(const Policy& policy, const std::vector<std::string>& ports) {
  const std::vector<std::string_view> names(ports.begin(), ports.end());
  Mistakes mistakes;
  for (const PortUse& use : PortUses(policy)) {
    if (std::find(ports.begin(), ports.end(), use.port) != ports.end()) continue;
    const bool number = use.port.find_first_not_of("0123456789-") == std::string::npos;
    mistakes.Add(FoundError(policy.file, use.pointer, Quote(use.port),
                            names.empty()
                                ? "no port: the program has none"
                                : absl::StrCat("one of the program's ports: ", Join(names)),
                            number ? kTransportPorts : DidYouMean(use.port, names)));
  }
  return mistakes.status();
}

}  // namespace twinpath
