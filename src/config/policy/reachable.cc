// SPDX-License-Identifier: BSD-3-Clause
// Finds the rules that a packet can reach, by comparing keys with those of earlier rules. Pure
// functions.

#include "src/config/policy/reachable.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/match_keys.h"
#include "src/config/describe/describe.h"
#include "src/config/policy/when.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

constexpr size_t kMaxNamed = 3;  // covering rules in an error

// A tp_key as words, for comparing and hashing.
using Words = std::array<uint64_t, TP_KEY_WORDS>;

struct WordsHash {
  size_t operator()(const Words& words) const {
    return std::hash<std::string_view>()(
        std::string_view(reinterpret_cast<const char*>(words.data()), sizeof(words)));
  }
};

Words WordsOf(const tp_key& key) {
  Words words;
  static_assert(sizeof(words) == sizeof(key));
  std::memcpy(words.data(), &key, sizeof(words));
  return words;
}

// Adds bits that every packet with this key also has: a header is read only after the headers in
// front of it, and the EtherType follows from the IP version.
void AddImpliedBits(tp_key* mask, tp_key* value) {
  if (value->flags & TP_KEY_PORTS) {
    mask->flags |= TP_KEY_IP | TP_KEY_UNREAD;
    value->flags |= TP_KEY_IP;
  }
  if (value->flags & TP_KEY_LATER) mask->flags |= TP_KEY_UNREAD;
  if (value->flags & (TP_KEY_IP | TP_KEY_FRAGMENT)) mask->vlan |= TP_VLAN_UNREAD;
  if (mask->ip_version != 0 && mask->ether_type == 0) {
    mask->ether_type = 0xffff;
    value->ether_type = value->ip_version == 4 ? TP_ETH_P_IPV4 : TP_ETH_P_IPV6;
  }
}

// The intersection of two sorted lists.
std::vector<uint32_t> InBoth(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<uint32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// The keys of the earlier rules that always hold, by mask.
class Covers {
 public:
  void Add(const tp_key& mask, const tp_key& value, uint32_t rule) {
    const Words words = WordsOf(mask);
    auto shape = std::find_if(shapes_.begin(), shapes_.end(),
                              [&](const Shape& other) { return other.mask == words; });
    if (shape == shapes_.end()) shape = shapes_.insert(shapes_.end(), {words, {}});
    shape->rules.emplace(WordsOf(value), rule);  // the first rule stays
  }

  // The rules, in order, that have a key which includes all packets of this key. Of several rules
  // with the same key, only the first one.
  std::vector<uint32_t> Find(const tp_key& mask, const tp_key& value) const {
    const Words tested = WordsOf(mask), values = WordsOf(value);
    std::vector<uint32_t> rules;
    for (const Shape& shape : shapes_) {
      Words within;
      bool wider = true;
      for (size_t i = 0; i < within.size() && wider; i++) {
        wider = (shape.mask[i] & ~tested[i]) == 0;
        within[i] = values[i] & shape.mask[i];
      }
      if (!wider) continue;
      const auto found = shape.rules.find(within);
      if (found != shape.rules.end()) rules.push_back(found->second);
    }
    std::sort(rules.begin(), rules.end());
    return rules;
  }

 private:
  struct Shape {
    Words mask;
    std::unordered_map<Words, uint32_t, WordsHash> rules;  // by value
  };
  std::vector<Shape> shapes_;
};

class Walk {
 public:
  Walk(const std::vector<std::string>& ports, bool drops_malformed)
      : ports_(ports), drops_malformed_(drops_malformed) {}

  // Called for the rules in order.
  Reach Add(const RuleSpec& rule) {
    Reach reach = ReachBefore(rule);
    if (rule.flows && rule.flows->never) reach = {false, {}};
    if (HoldsAlways(rule)) {
      const MatchKeys keys = KeysOf(rule.match, PortOf(rule.match));
      for (size_t i = 0; i < keys.size(); i++) covers_.Add(keys.Mask(i), keys.Value(i), number_);
    }
    number_++;
    return reach;
  }

 private:
  uint8_t PortOf(const MatchSpec& match) const {
    if (!match.port) return 0;
    return static_cast<uint8_t>(std::find(ports_.begin(), ports_.end(), *match.port) -
                                ports_.begin());
  }

  Reach ReachBefore(const RuleSpec& rule) const {
    std::set<uint32_t> together;                 // the first rule that takes each key
    std::optional<std::vector<uint32_t>> alone;  // the rules that take all keys
    for (size_t p = 0; p < ports_.size(); p++) {
      if (rule.match.port && *rule.match.port != ports_[p]) continue;
      const MatchKeys keys = KeysOf(rule.match, static_cast<uint8_t>(p));
      for (size_t i = 0; i < keys.size(); i++)
        for (const std::vector<uint32_t>& takers : Takers(keys.Mask(i), keys.Value(i), p)) {
          if (takers.empty()) return {};
          together.insert(takers.front());
          alone = alone ? InBoth(*alone, takers) : takers;
        }
    }
    if (alone && !alone->empty()) return {false, {alone->front()}};
    return {false, std::vector<uint32_t>(together.begin(), together.end())};
  }

  // The earlier rules that match all packets of this key from `port`. If there is none, the rules
  // that match its TCP packets and the rules that match its UDP packets.
  std::vector<std::vector<uint32_t>> Takers(tp_key mask, tp_key value, size_t port) const {
    mask.port = 0xff;
    value.port = static_cast<uint8_t>(port);
    AddImpliedBits(&mask, &value);
    if (drops_malformed_) {
      if (value.flags & TP_KEY_MALFORMED) return {};  // dropped before any rule
      mask.flags |= TP_KEY_MALFORMED;
    }
    std::vector<std::vector<uint32_t>> takers = {covers_.Find(mask, value)};
    // A key with ports is TCP or UDP, and two rules may cover one protocol each.
    if (!takers.front().empty() || !(value.flags & TP_KEY_PORTS) || mask.proto != 0) return takers;
    takers.clear();
    mask.proto = 0xff;
    for (const int proto : {TP_PROTO_TCP, TP_PROTO_UDP}) {
      value.proto = static_cast<uint8_t>(proto);
      takers.push_back(covers_.Find(mask, value));
    }
    return takers;
  }

  const std::vector<std::string>& ports_;
  const bool drops_malformed_;
  Covers covers_;
  uint32_t number_ = 0;
};

}  // namespace

std::vector<Reach> ReachOf(const Policy& policy, const std::vector<std::string>& ports) {
  std::vector<Reach> reach;
  Walk walk(ports, policy.drops_malformed);
  for (const RuleSpec& rule : policy.rules) reach.push_back(walk.Add(rule));
  reach.push_back(walk.Add(policy.fallback));
  return reach;
}

std::vector<bool> ReachableRules(const Policy& policy, const std::vector<std::string>& ports) {
  std::vector<bool> reachable;
  for (const Reach& reach : ReachOf(policy, ports)) reachable.push_back(reach.reachable);
  return reachable;
}

std::string WhyUnreachable(const Policy& policy, size_t rule, const Reach& reach) {
  const RuleSpec& shadowed = rule < policy.rules.size() ? policy.rules[rule] : policy.fallback;
  if (shadowed.flows && shadowed.flows->never) return "it holds for no flow";
  if (reach.covered_by.empty() && shadowed.match.malformed && policy.drops_malformed)
    return "the policy drops malformed frames before any rule";
  if (reach.covered_by.empty()) return "no port of the program has its packets";
  const auto at = [&](uint32_t r) {
    return absl::StrCat("/rules/", r, " (", policy.rules[r].name, ")");
  };
  if (reach.covered_by.size() == 1) {
    const uint32_t r = reach.covered_by.front();
    const MatchSpec& match = policy.rules[r].match;
    const bool same = rule < policy.rules.size() && match == shadowed.match;
    return absl::StrCat(at(r), same ? std::string(" has the same match")
                                    : absl::StrCat(" takes ", DescribeMatch(match)));
  }
  std::string all = "earlier rules match all its packets: ";
  const size_t named = std::min(reach.covered_by.size(), kMaxNamed);
  for (size_t i = 0; i < named; i++)
    absl::StrAppend(&all, i == 0 ? "" : ", ", at(reach.covered_by[i]));
  if (named < reach.covered_by.size())
    absl::StrAppend(&all, " and ", reach.covered_by.size() - named, " more");
  return all;
}

}  // namespace twinpath
