// SPDX-License-Identifier: BSD-3-Clause
// Which rules of a policy a packet can reach, by the keys of the earlier rules. Pure functions.

#include "src/config/policy/reachable.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/match_keys.h"
#include "src/config/describe/describe.h"
#include "src/config/policy/when.h"

namespace twinpath {
namespace {

// A key under its mask.
struct MaskedKey {
  tp_key mask, value;
  bool operator==(const MaskedKey& other) const {
    return std::memcmp(this, &other, sizeof(*this)) == 0;
  }
};
static_assert(sizeof(MaskedKey) == 2 * sizeof(tp_key));  // no padding to compare

struct MaskedKeyHash {
  size_t operator()(const MaskedKey& key) const {
    return std::hash<std::string_view>()(
        std::string_view(reinterpret_cast<const char*>(&key), sizeof(key)));
  }
};

class Reach {
 public:
  explicit Reach(const std::vector<std::string>& ports) : ports_(ports), taken_(ports.size()) {}

  // Called for the rules in order; returns whether a packet can reach this one.
  bool Add(const RuleSpec& rule) {
    bool some_port = false;
    for (size_t p = 0; p < ports_.size(); p++) some_port |= CanMeet(rule.match, p);
    if (!some_port) return false;
    const bool always = HoldsAlways(rule);
    if (AsksNothingOfFrame(rule.match)) {
      for (size_t p = 0; p < ports_.size() && always; p++) {
        if (CanMeet(rule.match, p)) taken_[p] = true;
      }
      return !rule.flows || !rule.flows->never;
    }
    return AddKeys(rule, always) && (!rule.flows || !rule.flows->never);
  }

 private:
  bool CanMeet(const MatchSpec& match, size_t port) const {
    return !taken_[port] && (!match.port || *match.port == ports_[port]);
  }

  // Whether one of the rule's keys is free. A rule that always holds takes its keys.
  bool AddKeys(const RuleSpec& rule, bool always) {
    uint8_t port = 0;
    if (rule.match.port) {
      port = static_cast<uint8_t>(std::find(ports_.begin(), ports_.end(), *rule.match.port) -
                                  ports_.begin());
    }
    const MatchKeys keys = KeysOf(rule.match, port);
    bool left = false;
    for (size_t i = 0; i < keys.size() && (always || !left); i++) {
      const MaskedKey key = {keys.Mask(i), keys.Value(i)};
      left |= always ? seen_.insert(key).second : !seen_.count(key);
    }
    return left;
  }

  const std::vector<std::string>& ports_;
  std::vector<bool> taken_;  // for each port: an earlier rule matches everything
  std::unordered_set<MaskedKey, MaskedKeyHash> seen_;
};

}  // namespace

std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports) {
  std::vector<bool> reachable;
  Reach reach(ports);
  for (const RuleSpec& rule : policy.rules) reachable.push_back(reach.Add(rule));
  reachable.push_back(reach.Add(policy.fallback));
  return reachable;
}

std::string ShadowOf(const Policy& policy, size_t rule) {
  const RuleSpec& shadowed = policy.rules[rule];
  if (shadowed.flows && shadowed.flows->never) return "it holds for no flow";
  for (size_t r = 0; r < rule; r++) {
    const RuleSpec& earlier = policy.rules[r];
    if (!HoldsAlways(earlier)) continue;
    const std::string at = absl::StrCat("/rules/", r, " (", earlier.name, ")");
    if (earlier.match == shadowed.match) return absl::StrCat(at, " has the same match");
    if (AsksNothingOfFrame(earlier.match) &&
        (!earlier.match.port || earlier.match.port == shadowed.match.port)) {
      return absl::StrCat(at, " takes ", DescribeMatch(earlier.match));
    }
  }
  return "earlier rules match all its packets";
}

}  // namespace twinpath
