// SPDX-License-Identifier: BSD-3-Clause
// Turns options into rules, or into changes of the default rule. Control thread, at set-up.

#include "src/config/overrides.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "src/config/json/json_document.h"
#include "src/config/policy/actions.h"
#include "src/config/policy/match.h"
#include "src/config/policy/port_uses.h"
#include "src/config/policy/reachable.h"
#include "src/config/sha256.h"

namespace twinpath {
namespace {

constexpr char kWire[] = "wire", kMatch[] = "match";
constexpr size_t kMaxNames = 20;  // of rules in an error
constexpr char kMatchAllowed[] =
    "FIELD=VALUE,... such as \"src=10.0.0.0/8,proto=udp\": the fields of a policy's match";

// A value as JSON: a number, a boolean or an array as it is, anything else as a string.
nlohmann::json ValueOf(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos)
    if (auto number = nlohmann::json::parse(text, nullptr, false); number.is_number())
      return number;
  if (text == "true" || text == "false") return text == "true";
  if (!text.empty() && text[0] == '[')
    if (auto array = nlohmann::json::parse(text, nullptr, false); array.is_array()) return array;
  return text;
}

// Converts "src=10.0.0.0/8,proto=udp" to a JSON object; keeps duplicate keys, for the error. A part
// without '=' belongs to the previous value: "tcp_flags=syn,!ack". Empty: the text is wrong.
std::string JsonOf(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    more = comma != text.npos;
    text.remove_prefix(more ? comma + 1 : text.size());
    const size_t equals = part.find('=');
    if (equals != part.npos && equals != 0)
      fields.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    else if (!fields.empty())
      absl::StrAppend(&fields.back().second, ",", std::string(part));
    else
      return "";
  }
  std::string json;
  for (const auto& [key, value] : fields) {
    const auto dump = [](const nlohmann::json& one) {
      return one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    };
    absl::StrAppend(&json, json.empty() ? "{" : ",", dump(key), ":", dump(ValueOf(value)));
  }
  return json + "}";
}

absl::StatusOr<MatchSpec> ParseMatchOption(const std::string& text,
                                           const std::vector<std::string>& ports) {
  const std::string json = JsonOf(text), option = "--match";
  if (json.empty()) return FoundError(option, "", Quote(text), kMatchAllowed);
  absl::StatusOr<JsonValue> document = ParseDocument(json, option);
  if (!document.ok()) return document.status();
  absl::StatusOr<MatchSpec> match = ParseMatch(JsonCursor(*document, option));
  if (!match.ok() || !match->port) return match;
  if (std::find(ports.begin(), ports.end(), *match->port) != ports.end()) return match;
  const std::vector<std::string_view> names(ports.begin(), ports.end());
  return FoundError(option, "/port", Quote(*match->port),
                    absl::StrCat("one of the program's ports: ", Join(names)));
}

// Checks that the policy has no rule of this name.
absl::Status CheckFree(const Policy& policy, const std::string& name, const char* option) {
  const auto same = std::find_if(policy.rules.begin(), policy.rules.end(),
                                 [&](const RuleSpec& rule) { return rule.name == name; });
  if (same == policy.rules.end()) return absl::OkStatus();
  return FoundError(policy.file, absl::StrCat("/rules/", same - policy.rules.begin(), "/name"),
                    absl::StrCat(Quote(name), ", which ", option, " uses too"), "another name");
}

absl::Status CheckPairs(const std::vector<std::string>& ports) {
  if (!ports.empty() && ports.size() % 2 == 0) return absl::OkStatus();
  return FoundError(
      "--forward", "",
      absl::StrCat("\"wire\" with ", ports.size(), ports.size() == 1 ? " port" : " ports"),
      "an even number of ports, 2 or more, crossed in pairs");
}

// --forward wire: packets of each port leave by its neighbor.
absl::Status AddWire(const std::vector<std::string>& ports, Policy* policy) {
  for (size_t i = 0; i < ports.size(); i++) {
    RuleSpec rule;
    rule.name = absl::StrCat("wire-", ports[i]);
    if (absl::Status s = CheckFree(*policy, rule.name, "--forward wire"); !s.ok()) return s;
    rule.match.port = ports[i];
    rule.loss = policy->fallback.loss;
    rule.forward = {TP_ACTION_PORT, ports[i ^ 1]};
    policy->rules.push_back(std::move(rule));
  }
  return absl::OkStatus();
}

absl::Status ApplyForward(const std::string& forward, const std::vector<std::string>& ports,
                          Policy* policy) {
  if (forward == kWire) return AddWire(ports, policy);
  ForwardSpec& spec = policy->fallback.forward;
  spec = {};
  if (const Action* action = FindAction(forward); action != nullptr) {
    spec.action = action->number;
  } else if (std::find(ports.begin(), ports.end(), forward) != ports.end()) {
    spec = {TP_ACTION_PORT, forward};
  } else {
    std::vector<std::string_view> names(ports.begin(), ports.end());
    return FoundError("--forward", "", Quote(forward),
                      absl::StrCat(absl::StrJoin(ActionWords(), ", "), ", wire, or a port",
                                   names.empty() ? "" : ": ", Join(names)));
  }
  return absl::OkStatus();
}

// --match: adds a rule before all others, with the loss and with the forward action of the other
// packets. On a wire, adds one for each port.
absl::Status AddMatch(const PolicyOverrides& overrides, const LossSpec& loss,
                      const std::vector<std::string>& ports, Policy* policy) {
  absl::StatusOr<MatchSpec> match = ParseMatchOption(*overrides.match, ports);
  if (!match.ok()) return match.status();
  std::vector<RuleSpec> rules;
  RuleSpec rule;
  rule.match = *std::move(match);
  rule.loss = loss;
  if (overrides.forward != kWire) {
    rule.name = kMatch;
    rule.forward = policy->fallback.forward;
    rules.push_back(rule);
  }
  for (size_t i = 0; i < ports.size() && overrides.forward == kWire; i++) {
    if (rule.match.port && *rule.match.port != ports[i]) continue;
    rules.push_back(rule);
    rules.back().name = absl::StrCat(kMatch, "-", ports[i]);
    rules.back().match.port = ports[i];
    rules.back().forward = {TP_ACTION_PORT, ports[i ^ 1]};
  }
  for (const RuleSpec& added : rules)
    if (absl::Status s = CheckFree(*policy, added.name, "--match"); !s.ok()) return s;
  policy->rules.insert(policy->rules.begin(), rules.begin(), rules.end());
  return absl::OkStatus();
}

absl::Status ReadSeed(const std::string& text, uint64_t* seed) {
  const char *start = text.data(), *end = start + text.size();
  const auto [stop, error] = std::from_chars(start, end, *seed);
  if (error == std::errc() && stop == end) return absl::OkStatus();
  return FoundError("--seed", "", Quote(text), absl::StrCat("an integer from 0 to ", UINT64_MAX));
}

}  // namespace

absl::Status ApplyOverrides(const PolicyOverrides& overrides, const std::vector<std::string>& ports,
                            Policy* policy) {
  absl::Status status;
  if (overrides.seed) status = ReadSeed(*overrides.seed, &policy->seed);
  LossSpec loss;
  if (status.ok() && overrides.loss) {
    absl::StatusOr<Probability> rate = ParseProbability(*overrides.loss);
    if (!rate.ok()) return FoundError("--loss", "", Quote(*overrides.loss), kProbabilityAllowed);
    loss.model = LossSpec::Model::kRandom;
    loss.parameters.push_back(*std::move(rate));
    if (!overrides.match) policy->fallback.loss = loss;
  }
  if (status.ok() && overrides.forward == kWire) status = CheckPairs(ports);
  if (status.ok() && overrides.forward) status = ApplyForward(*overrides.forward, ports, policy);
  if (status.ok() && overrides.match) status = AddMatch(overrides, loss, ports, policy);
  return status;
}

absl::Status SetLoss(const std::string& name, const std::string& rate, Policy* policy) {
  RuleSpec* rule = name == policy->fallback.name ? &policy->fallback : nullptr;
  std::vector<std::string_view> names;
  for (RuleSpec& other : policy->rules) {
    if (other.name == name) rule = &other;
    if (names.size() < kMaxNames) names.push_back(other.name);
  }
  if (rule == nullptr) {
    names.push_back(policy->fallback.name);
    const bool all = policy->rules.size() < names.size();
    return FoundError("--rule", "", Quote(name),
                      absl::StrCat("a rule's name: ", Join(names),
                                   all ? "" : ", ... (twinpath stats lists them)"));
  }
  absl::StatusOr<Probability> loss = ParseProbability(rate);
  if (!loss.ok()) return FoundError("--loss", "", Quote(rate), kProbabilityAllowed);
  LossSpec spec;
  spec.model = LossSpec::Model::kRandom;
  spec.scope = rule->loss.scope;
  spec.bidirectional = rule->loss.bidirectional;
  spec.ecn_mark = rule->loss.ecn_mark;
  spec.parameters.push_back(*std::move(loss));
  rule->loss = std::move(spec);
  // The policy differs from its file now, so it gets another checksum.
  absl::StatusOr<std::string> sha256 =
      Sha256Hex(absl::StrCat(policy->sha256, "\n", name, "\n", rate));
  if (!sha256.ok()) return sha256.status();
  policy->sha256 = *std::move(sha256);
  return absl::OkStatus();
}

absl::Status CheckReached(const std::string& name, const Policy& policy,
                          const std::vector<std::string>& ports) {
  const std::vector<Reach> reach = ReachOf(policy, ports);
  for (size_t r = 0; r < reach.size(); r++) {
    const RuleSpec& rule = r < policy.rules.size() ? policy.rules[r] : policy.fallback;
    if (rule.name != name || reach[r].reachable) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--rule ", name, " takes no packet: ", WhyUnreachable(policy, r, reach[r])));
  }
  return absl::OkStatus();
}

absl::Status CheckOverridesReach(const Policy& policy, const PolicyOverrides& overrides,
                                 const std::vector<std::string>& ports) {
  const bool wire = overrides.forward == kWire;
  // A rule of --match comes first, so it is always reached.
  const bool loss = overrides.loss && !overrides.match;
  if (!loss && !overrides.forward) return absl::OkStatus();
  // The last rules that the options added or changed: those of the wire, or the default.
  const size_t end = policy.rules.size() + (wire ? 0 : 1);
  const size_t begin = wire ? end - std::min(end, ports.size()) : policy.rules.size();
  const std::vector<Reach> reach = ReachOf(policy, ports);
  for (size_t r = begin; r < end; r++)
    if (reach[r].reachable) return absl::OkStatus();
  if (begin == end || reach[begin].covered_by.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(loss ? absl::StrCat("--loss ", *overrides.loss)
                        : absl::StrCat("--forward ", *overrides.forward),
                   " does nothing with ", policy.file, ": it is for ",
                   wire ? "packets that no other rule takes" : "the default rule", ", and ",
                   WhyUnreachable(policy, begin, reach[begin]), "; put it into the policy"));
}

}  // namespace twinpath
