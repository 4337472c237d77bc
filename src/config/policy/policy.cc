// SPDX-License-Identifier: BSD-3-Clause
// Reads a policy from JSON. Validates everything except the tables' limits, which the compiler
// checks. Control thread, at set-up.

#include "src/config/policy/policy.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/overrides.h"
#include "src/config/policy/actions.h"
#include "src/config/policy/loss.h"
#include "src/config/policy/match.h"
#include "src/config/policy/names.h"
#include "src/config/policy/port_uses.h"
#include "src/config/policy/when.h"
#include "src/config/sha256.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

constexpr uint64_t kPolicyVersion = 1;

absl::StatusOr<ForwardSpec> ParseForward(const JsonCursor& forward) {
  ForwardSpec spec;
  if (!forward.present()) return spec;
  if (forward.Is(Kind::kObject)) {
    if (absl::Status s = forward.CheckKeys({"port"}); !s.ok()) return s;
    JsonCursor port = forward.Member("port");
    if (!port.Is(Kind::kString) || !IsPortName(port.value().text)) {
      return port.Wrong(kPortNameAllowed);
    }
    spec.action = TP_ACTION_PORT;
    spec.port = port.value().text;
    return spec;
  }
  std::string_view word = forward.Is(Kind::kString) ? forward.value().text : std::string_view();
  const Action* action = FindAction(word);
  if (action == nullptr) {
    const std::vector<std::string> words = ActionWords();
    return forward.WrongWord(
        absl::StrCat("\"", absl::StrJoin(words, "\", \""), "\" or {\"port\": NAME}"),
        std::vector<std::string_view>(words.begin(), words.end()));
  }
  spec.action = action->number;
  return spec;
}

// The keys that a rule and the default share.
absl::Status ParseFate(const JsonCursor& rule, RuleSpec* spec) {
  Mistakes mistakes;
  mistakes.Add(rule.Member("about").CheckAbout());
  absl::StatusOr<LossSpec> loss = ParseLoss(rule.Member("loss"));
  mistakes.Add(loss.status());
  absl::StatusOr<ForwardSpec> forward = ParseForward(rule.Member("forward"));
  mistakes.Add(forward.status());
  if (!mistakes.none()) return mistakes.status();
  spec->loss = *std::move(loss);
  spec->forward = *std::move(forward);
  return absl::OkStatus();
}

absl::StatusOr<RuleSpec> ParseRule(const JsonCursor& rule, size_t index) {
  Mistakes mistakes;
  mistakes.Add(
      rule.CheckKeys({"name", "about", "match", "active", "packets", "flows", "loss", "forward"}));
  if (!rule.Is(Kind::kObject)) return mistakes.status();
  RuleSpec spec;
  spec.name = absl::StrCat("rule-", index);
  JsonCursor name = rule.Member("name");
  if (name.present()) {
    if (!name.Is(Kind::kString) || !IsRuleName(name.value().text))
      mistakes.Add(name.Wrong("1 to 64 printable ASCII characters"));
    else if (name.value().text == "default")
      mistakes.Add(name.Wrong("another name: \"default\" is the last rule's"));
    else
      spec.name = name.value().text;
  }
  absl::StatusOr<MatchSpec> match = ParseMatch(rule.Member("match"));
  mistakes.Add(match.status());
  mistakes.Add(ParseWhen(rule, &spec));
  mistakes.Add(ParseFate(rule, &spec));
  if (!mistakes.none()) return mistakes.status();
  spec.match = *std::move(match);
  return spec;
}

absl::Status ParseRules(const JsonCursor& rules, Policy* policy) {
  if (!rules.present()) return absl::OkStatus();
  if (!rules.Is(Kind::kArray)) return rules.Wrong("an array of rules");
  std::unordered_map<std::string, size_t> names;
  Mistakes mistakes;
  for (size_t i = 0; i < rules.size(); i++) {
    const JsonCursor item = rules.Item(i);
    absl::StatusOr<RuleSpec> rule = ParseRule(item, i);
    mistakes.Add(rule.status());
    if (!rule.ok()) continue;
    auto [first, fresh] = names.emplace(rule->name, i);
    if (!fresh) {
      const std::string found = absl::StrCat(Quote(rule->name), ", the name of ", rules.pointer(),
                                             "/", first->second, " too");
      const std::string allowed = "a name of its own for each rule";
      const JsonCursor name = item.Member("name");
      mistakes.Add(name.present() ? name.Error(found, allowed)
                                  : item.Error("the default name " + found, allowed));
    }
    policy->rules.push_back(*std::move(rule));
  }
  return mistakes.status();
}

// Reads what happens to malformed frames: "match" (false) or "drop" (true).
absl::StatusOr<bool> ParseMalformed(const JsonCursor& malformed) {
  if (!malformed.present()) return false;
  const bool word = malformed.Is(Kind::kString);
  if (word && malformed.value().text == "drop") return true;
  if (word && malformed.value().text == "match") return false;
  return malformed.WrongWord("\"match\" or \"drop\"", {"match", "drop"});
}

// Fills policy->ports from its rules.
void CollectPorts(Policy* policy) {
  policy->ports.clear();
  for (const PortUse& use : PortUses(*policy)) policy->ports.push_back(use.port);
}

// The JSON, for the checksum, of a policy that consists only of `overrides`.
std::string CanonicalJson(const Policy& policy, const PolicyOverrides& overrides) {
  auto fate = [](const RuleSpec& rule) {
    nlohmann::json json = nlohmann::json::object();
    if (rule.match.port) json["match"] = {{"port", *rule.match.port}};
    if (rule.loss.model == LossSpec::Model::kRandom) {
      json["loss"] = {{"model", "random"}, {"rate", rule.loss.parameters[0].text}};
    }
    if (rule.forward.action == TP_ACTION_PORT)
      json["forward"] = {{"port", rule.forward.port}};
    else
      json["forward"] = kActions[rule.forward.action].word;
    return json;
  };
  nlohmann::json json = {{"version", kPolicyVersion}, {"seed", policy.seed}};
  if (overrides.match) json["match"] = *overrides.match;
  json["rules"] = nlohmann::json::array();
  for (const RuleSpec& rule : policy.rules) {
    json["rules"].push_back(fate(rule));
    json["rules"].back()["name"] = rule.name;
  }
  json["default"] = fate(policy.fallback);
  return json.dump();  // objects in order of their keys, no white space
}

}  // namespace

absl::StatusOr<Policy> ParsePolicy(std::string_view text, const std::string& file) {
  absl::StatusOr<JsonValue> document = ParseDocument(text, file);
  if (!document.ok()) return document.status();
  JsonCursor root(*document, file);
  if (!root.Is(Kind::kObject)) return root.Wrong("an object with the key version");
  JsonCursor version = root.Member("version");  // first: the other keys depend on it
  if (!version.Is(Kind::kUnsigned) || version.value().number != kPolicyVersion) {
    return version.Wrong(absl::StrCat(kPolicyVersion));
  }
  Mistakes mistakes;
  mistakes.Add(root.CheckKeys({"version", "about", "seed", "malformed", "rules", "default"}));
  mistakes.Add(root.Member("about").CheckAbout());

  Policy policy;
  policy.file = file;
  if (JsonCursor seed = root.Member("seed"); seed.present()) {
    absl::StatusOr<uint64_t> value = seed.Unsigned(0, UINT64_MAX);
    mistakes.Add(value.status());
    if (value.ok()) policy.seed = *value;
  }
  absl::StatusOr<bool> drops_malformed = ParseMalformed(root.Member("malformed"));
  mistakes.Add(drops_malformed.status());
  if (drops_malformed.ok()) policy.drops_malformed = *drops_malformed;
  mistakes.Add(ParseRules(root.Member("rules"), &policy));
  policy.fallback.name = "default";
  if (JsonCursor fallback = root.Member("default"); fallback.present()) {
    mistakes.Add(fallback.CheckKeys({"about", "loss", "forward"}));
    if (fallback.Is(Kind::kObject)) mistakes.Add(ParseFate(fallback, &policy.fallback));
  }
  if (!mistakes.none()) return mistakes.status();
  CollectPorts(&policy);
  absl::StatusOr<std::string> sha256 = Sha256Hex(text);
  if (!sha256.ok()) return sha256.status();
  policy.sha256 = *std::move(sha256);
  return policy;
}

absl::StatusOr<Policy> LoadPolicy(const std::string& path) {
  absl::StatusOr<std::string> text = ReadDocument(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<Policy> policy = ParsePolicy(*text, path);
  if (!policy.ok()) return InOneLine(policy.status(), *text, kPolicyLister);
  return policy;
}

namespace {

// `policy`, which was read from `text`, with the changes of the command line.
absl::StatusOr<Policy> Overridden(Policy policy, std::string_view text,
                                  const PolicyOverrides& overrides,
                                  const std::vector<std::string>& ports) {
  if (absl::Status status = CheckPorts(policy, ports); !status.ok())
    return InOneLine(status, text, kPolicyLister);
  if (absl::Status status = ApplyOverrides(overrides, ports, &policy); !status.ok()) return status;
  CollectPorts(&policy);
  return policy;
}

}  // namespace

absl::StatusOr<Policy> MakePolicyOf(std::string_view text, const std::string& file,
                                    const PolicyOverrides& overrides,
                                    const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> parsed = ParsePolicy(text, file);
  if (!parsed.ok()) return InOneLine(parsed.status(), text, kPolicyLister);
  return Overridden(*std::move(parsed), text, overrides, ports);
}

absl::StatusOr<Policy> MakePolicy(const std::string& path, const PolicyOverrides& overrides,
                                  const std::vector<std::string>& ports) {
  if (!path.empty()) {
    absl::StatusOr<std::string> text = ReadDocument(path);
    if (!text.ok()) return text.status();
    return MakePolicyOf(*text, path, overrides, ports);
  }
  Policy none;
  none.fallback.name = "default";
  absl::StatusOr<Policy> policy = Overridden(std::move(none), "", overrides, ports);
  if (!policy.ok()) return policy;
  absl::StatusOr<std::string> sha256 = Sha256Hex(CanonicalJson(*policy, overrides));
  if (!sha256.ok()) return sha256.status();
  policy->sha256 = *std::move(sha256);
  return policy;
}

}  // namespace twinpath
