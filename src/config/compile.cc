// SPDX-License-Identifier: BSD-3-Clause
// Policy -> tables, in passes: rules, then where each port's search ends, then the shapes that
// remain worth trying on each port, then the keys of those shapes. What no port can meet is left
// out. Control thread, at set-up.

#include "src/config/compile.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "src/config/json_document.h"
#include "src/config/match_keys.h"
#include "src/config/port_uses.h"
#include "src/config/rule_table.h"
#include "src/config/words.h"
#include "src/policy/host.h"

namespace twinpath {
namespace {

struct KeyHash {
  size_t operator()(const tp_key& key) const {
    tp_key all;
    std::memset(&all, 0xff, sizeof(all));
    all.shape = key.shape;
    return tp_key_hash(&key, &all);
  }
};
struct KeyEqual {
  bool operator()(const tp_key& a, const tp_key& b) const {
    return std::memcmp(&a, &b, sizeof(a)) == 0;
  }
};

// One mask, and for each port the first rule of it that the port can meet.
struct Shape {
  tp_key mask = {};
  std::array<uint32_t, TP_MAX_PORTS> min_rule;
};

// What a policy may say and no datapath does yet: the first of it, by its pointer.
absl::Status CheckSupported(const Policy& policy) {
  absl::Status status;
  auto later = [&](bool asked, const std::string& pointer, const std::string& found) {
    if (asked && status.ok()) {
      status = FoundError(policy.file, pointer, absl::StrCat(found, ", which is not supported yet"),
                          "a policy without it");
    }
  };
  auto check = [&](const RuleSpec& rule, const std::string& pointer) {
    const LossSpec& loss = rule.loss;
    const bool random = loss.model == LossSpec::Model::kNone ||  //
                        loss.model == LossSpec::Model::kRandom;
    later(!random, pointer + "/loss/model", "another model than random");
    later(loss.scope != LossSpec::Scope::kQueue, pointer + "/loss/scope", "a scope beside queue");
    later(loss.ecn_mark, pointer + "/loss/ecn_mark", "marking");
    later(rule.match.length.has_value(), pointer + "/match/length", "a length");
    const std::optional<VlanMatch>& vlan = rule.match.vlan;
    later(vlan && (vlan->tags.size() > 1 || (vlan->whole && !vlan->tags.empty())),
          pointer + "/match/vlan", "a stack of tags");
    later(rule.active.has_value(), pointer + "/active", "a time");
    later(rule.packets.has_value(), pointer + "/packets", "a number of packets");
    later(rule.flows.has_value(), pointer + "/flows", "a share of flows");
  };
  for (size_t r = 0; r < policy.rules.size(); r++) {
    check(policy.rules[r], absl::StrCat("/rules/", r));
    if (!status.ok()) return status;
  }
  check(policy.fallback, "/default");
  return status;
}

class Compiler {
 public:
  Compiler(const Policy& policy, const std::vector<std::string>& ports) : policy_(policy) {
    compiled_.ports = ports;
  }

  absl::StatusOr<CompiledPolicy> Run() && {
    absl::Status status = CheckLimits();
    if (status.ok()) status = CheckPorts(policy_, compiled_.ports);
    for (size_t r = 0; r < policy_.rules.size() && status.ok(); r++) status = CheckKeys(r);
    if (status.ok()) status = CheckSupported(policy_);
    if (!status.ok()) return status;
    for (const RuleSpec& rule : policy_.rules) AddRule(rule);
    AddRule(policy_.fallback);
    FindFallbacks();
    FindNeeds();
    if (status = FindShapes(); !status.ok()) return status;
    AddPlans();
    if (status = AddEntries(); !status.ok()) return status;
    return std::move(compiled_);
  }

 private:
  absl::Status Refuse(const std::string& pointer, const std::string& found,
                      const std::string& allowed) const {
    return FoundError(policy_.file, pointer, found, allowed);
  }

  absl::Status CheckLimits() const {
    const std::vector<std::string>& ports = compiled_.ports;
    if (ports.empty() || ports.size() > TP_MAX_PORTS) {
      const std::vector<PortUse> uses = PortUses(policy_);
      return Refuse(uses.size() > TP_MAX_PORTS ? uses[TP_MAX_PORTS].pointer : "",
                    absl::StrCat(ports.size(), " ports"), absl::StrCat("1 to ", TP_MAX_PORTS));
    }
    for (size_t i = 0; i < ports.size(); i++) {
      if (std::find(ports.begin(), ports.begin() + i, ports[i]) != ports.begin() + i) {
        return Refuse("", absl::StrCat("port ", Quote(ports[i]), " twice"), "each port once");
      }
    }
    if (policy_.rules.size() >= TP_MAX_RULES) {
      return Refuse("/rules", absl::StrCat(policy_.rules.size(), " rules"),
                    absl::StrCat("at most ", TP_MAX_RULES - 1, " beside the default"));
    }
    return absl::OkStatus();
  }

  // What the ranges of rule `r` multiply to, before any of it is enumerated.
  absl::Status CheckKeys(size_t r) const {
    const MatchKeys keys = KeysOf(policy_.rules[r].match, 0);
    if (keys.shapes() <= TP_MAX_SHAPES) return absl::OkStatus();
    return Refuse(absl::StrCat("/rules/", r, "/match"),
                  absl::StrCat(Grouped(keys.size()), " keys of ", Grouped(keys.shapes()),
                               " shapes: its ranges multiply"),
                  absl::StrCat("at most ", TP_MAX_SHAPES, " shapes"));
  }

  // `name` is one of the ports: CheckPorts said so.
  uint8_t PortIndex(const std::string& name) const {
    const std::vector<std::string>& ports = compiled_.ports;
    return static_cast<uint8_t>(std::find(ports.begin(), ports.end(), name) - ports.begin());
  }

  void AddRule(const RuleSpec& spec) {
    tp_rule rule = {};
    tp_rule_key(policy_.seed, tp_name_hash(spec.name.data(), spec.name.size()), &rule.key_a,
                &rule.key_b);
    rule.loss = TP_LOSS_NONE;
    if (spec.loss.model == LossSpec::Model::kRandom && !spec.loss.parameters[0].never) {
      const Probability& rate = spec.loss.parameters[0];
      rule.loss = rate.always ? TP_LOSS_ALL : TP_LOSS_RANDOM;
      if (!rate.always) rule.threshold = rate.threshold;
    }
    switch (spec.forward.action) {
      case ForwardSpec::Action::kPass:
        rule.action = TP_ACTION_PASS;
        break;
      case ForwardSpec::Action::kDrop:
        rule.action = TP_ACTION_DROP;
        break;
      case ForwardSpec::Action::kReflect:
        rule.action = TP_ACTION_REFLECT;
        break;
      case ForwardSpec::Action::kPort:
        rule.action = TP_ACTION_PORT;
        rule.out_port = PortIndex(spec.forward.port);
        break;
    }
    compiled_.rules.push_back(rule);
    compiled_.rule_names.push_back(spec.name);
  }

  // For each port the first rule that takes whatever comes in by it.
  void FindFallbacks() {
    fallback_.assign(compiled_.ports.size(), static_cast<uint32_t>(policy_.rules.size()));
    for (size_t r = policy_.rules.size(); r-- > 0;) {
      const MatchSpec& match = policy_.rules[r].match;
      if (!AsksNothingOfFrame(match)) continue;
      for (size_t p = 0; p < fallback_.size(); p++) {
        if (!match.port || PortIndex(*match.port) == p) fallback_[p] = static_cast<uint32_t>(r);
      }
    }
  }

  // What the rules need that some port can reach: a wire's default, which nothing reaches, needs no
  // way to the kernel.
  void FindNeeds() {
    for (size_t p = 0; p < fallback_.size(); p++) {
      for (size_t r = 0; r <= fallback_[p]; r++) {
        const bool is_default = r == policy_.rules.size();
        const RuleSpec& rule = is_default ? policy_.fallback : policy_.rules[r];
        if (rule.match.port && PortIndex(*rule.match.port) != p) continue;
        compiled_.passes |= rule.forward.action == ForwardSpec::Action::kPass;
        compiled_.sends_to_port |= rule.forward.action == ForwardSpec::Action::kPort;
        compiled_.matches_vlan |= rule.match.vlan.has_value();
      }
    }
  }

  // The ports that can meet rule `r`, which asks something of the frame.
  std::vector<size_t> PortsMeeting(size_t r) const {
    const MatchSpec& match = policy_.rules[r].match;
    std::vector<size_t> ports;
    for (size_t p = 0; p < fallback_.size(); p++) {
      if (r < fallback_[p] && (!match.port || PortIndex(*match.port) == p)) ports.push_back(p);
    }
    return ports;
  }

  // Calls visit(mask, value) for each key of rule `r`.
  template <typename Visit>
  absl::Status ForEachKey(size_t r, Visit visit) const {
    const MatchSpec& match = policy_.rules[r].match;
    MatchKeys keys = KeysOf(match, match.port ? PortIndex(*match.port) : uint8_t{0});
    for (size_t i = 0; i < keys.size(); i++) {
      if (absl::Status status = visit(keys.Mask(i), keys.Value(i)); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Every shape that some port can meet, numbered from 1 in order of first use.
  absl::Status FindShapes() {
    std::vector<uint32_t> shapes_of_port(compiled_.ports.size());
    for (size_t r = 0; r < policy_.rules.size(); r++) {
      if (AsksNothingOfFrame(policy_.rules[r].match)) continue;
      std::vector<size_t> ports = PortsMeeting(r);
      if (ports.empty()) continue;
      absl::Status status = ForEachKey(r, [&](tp_key mask, const tp_key&) {
        auto [it, fresh] = shape_index_.emplace(mask, shapes_.size());
        if (fresh) {
          shapes_.emplace_back().min_rule.fill(TP_NO_RULE);
          mask.shape = static_cast<uint16_t>(shapes_.size());
          shapes_.back().mask = mask;
        }
        for (size_t p : ports) {
          uint32_t& min_rule = shapes_[it->second].min_rule[p];
          if (min_rule != TP_NO_RULE) continue;  // rules come in order
          min_rule = static_cast<uint32_t>(r);
          if (++shapes_of_port[p] > TP_MAX_SHAPES) return TooManyShapes(r, p);
        }
        return absl::OkStatus();
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status TooManyShapes(size_t r, size_t port) const {
    return Refuse(
        absl::StrCat("/rules/", r, "/match"),
        absl::StrCat(TP_MAX_SHAPES + 1, " shapes of match up to here (sets of fields and ",
                     "prefix lengths) on port ", Quote(compiled_.ports[port])),
        absl::StrCat("at most ", TP_MAX_SHAPES));
  }

  void AddPlans() {
    for (size_t p = 0; p < compiled_.ports.size(); p++) {
      const std::string& name = compiled_.ports[p];
      tp_plan plan = {};
      plan.port_key = tp_name_hash(name.data(), name.size());
      plan.first_shape = static_cast<uint32_t>(compiled_.shapes.size());
      plan.fallback = fallback_[p];
      for (const Shape& shape : shapes_) {
        if (shape.min_rule[p] == TP_NO_RULE) continue;
        compiled_.shapes.push_back({shape.mask, shape.min_rule[p], {}});
      }
      plan.n_shapes = static_cast<uint32_t>(compiled_.shapes.size()) - plan.first_shape;
      std::stable_sort(
          compiled_.shapes.begin() + plan.first_shape, compiled_.shapes.end(),
          [](const tp_shape& a, const tp_shape& b) { return a.min_rule < b.min_rule; });
      compiled_.plans.push_back(plan);
    }
  }

  absl::Status AddEntries() {
    std::vector<RuleEntry> entries;
    std::unordered_set<tp_key, KeyHash, KeyEqual> seen;
    for (size_t r = 0; r < policy_.rules.size(); r++) {
      if (AsksNothingOfFrame(policy_.rules[r].match) || PortsMeeting(r).empty()) continue;
      absl::Status status = ForEachKey(r, [&](const tp_key& mask, tp_key value) {
        const tp_key& shape_mask = shapes_[shape_index_.at(mask)].mask;
        value.shape = shape_mask.shape;
        if (!seen.insert(value).second) return absl::OkStatus();  // an earlier rule has it
        if (entries.size() == TP_MAX_ENTRIES) return TooManyEntries(r);
        entries.push_back({value, tp_key_hash(&value, &shape_mask), static_cast<uint32_t>(r)});
        return absl::OkStatus();
      });
      if (!status.ok()) return status;
    }
    absl::StatusOr<std::vector<tp_bucket>> buckets = BuildBuckets(entries);
    if (!buckets.ok()) return Refuse("/rules", std::string(buckets.status().message()), "fewer");
    compiled_.buckets = *std::move(buckets);
    compiled_.entries.reserve(entries.size());
    for (const RuleEntry& entry : entries) compiled_.entries.push_back(entry.key);
    return absl::OkStatus();
  }

  absl::Status TooManyEntries(size_t r) const {
    return Refuse(
        absl::StrCat("/rules/", r, "/match"),
        absl::StrCat(TP_MAX_ENTRIES + 1, " keys up to here (a range of ports is several)"),
        absl::StrCat("at most ", TP_MAX_ENTRIES));
  }

  const Policy& policy_;
  CompiledPolicy compiled_;
  std::vector<uint32_t> fallback_;  // for each port
  std::vector<Shape> shapes_;
  std::unordered_map<tp_key, size_t, KeyHash, KeyEqual> shape_index_;  // by mask, .shape 0
};

}  // namespace

absl::StatusOr<CompiledPolicy> CompilePolicy(const Policy& policy,
                                             const std::vector<std::string>& ports) {
  return Compiler(policy, ports).Run();
}

std::vector<tp_state> InitialStates(const CompiledPolicy& policy, size_t port, uint32_t queue) {
  std::vector<tp_state> states(policy.rules.size());
  for (size_t r = 0; r < states.size(); r++) {
    tp_state_init(&states[r], &policy.rules[r], static_cast<uint32_t>(r),
                  policy.plans[port].port_key, queue);
  }
  return states;
}

}  // namespace twinpath
