// SPDX-License-Identifier: BSD-3-Clause
// Compiles a policy in passes: the rules, then the rule that ends each port's search, then the
// shapes that each port must try, then the keys of those shapes. Leaves out rules that no port can
// reach. Control thread, at set-up.

#include "src/config/compile/compile.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile_loss.h"
#include "src/config/compile/match_keys.h"
#include "src/config/compile/rule_table.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/actions.h"
#include "src/config/policy/port_uses.h"
#include "src/policy/pipeline.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

// A limit for the keys of all rules, including equal keys of several rules. Enumerating a key takes
// about a microsecond, and a reload or the end of a run waits for that.
constexpr size_t kMaxKeysInAll = size_t{4} * TP_MAX_ENTRIES;

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

// One mask, and for each port the first rule with this mask that the port can reach.
struct Shape {
  tp_key mask = {};
  std::array<uint32_t, TP_MAX_PORTS> min_rule;
};

class Compiler {
 public:
  Compiler(const Policy& policy, const std::vector<std::string>& ports) : policy_(policy) {
    compiled_.ports = ports;
  }

  absl::StatusOr<CompiledPolicy> Run() && {
    absl::Status status = CheckLimits();
    if (status.ok()) status = CheckPorts(policy_, compiled_.ports);
    if (status.ok()) status = CheckKeys();
    if (!status.ok()) return status;
    compiled_.drops_malformed = policy_.drops_malformed;
    compiled_.models.emplace_back();
    compiled_.whens.emplace_back();
    for (const RuleSpec& rule : policy_.rules) AddRule(rule);
    AddRule(policy_.fallback);
    if (status = CheckRuns(); !status.ok()) return status;
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
                    absl::StrCat("at most ", TP_MAX_RULES - 1, " besides the default"));
    }
    return absl::OkStatus();
  }

  // Checks the numbers of keys and shapes, which are products of the rules' ranges, before
  // enumerating any.
  absl::Status CheckKeys() const {
    size_t in_all = 0;
    for (size_t r = 0; r < policy_.rules.size(); r++) {
      const MatchKeys keys = KeysOf(policy_.rules[r].match, 0);
      if (keys.shapes() > TP_MAX_SHAPES) {
        return Refuse(absl::StrCat("/rules/", r, "/match"),
                      absl::StrCat(Grouped(keys.size()), " keys of ", Grouped(keys.shapes()),
                                   " shapes: its ranges multiply"),
                      absl::StrCat("at most ", TP_MAX_SHAPES, " shapes"));
      }
      in_all += keys.size();  // at most some thousands, with 256 shapes
    }
    if (in_all <= kMaxKeysInAll) return absl::OkStatus();
    return Refuse(
        "/rules",
        absl::StrCat(Grouped(in_all), " keys of all rules together (ranges of a rule multiply)"),
        absl::StrCat("at most ", Grouped(kMaxKeysInAll)));
  }

  // CheckPorts has made sure that `name` is one of the ports.
  uint8_t PortIndex(const std::string& name) const {
    const std::vector<std::string>& ports = compiled_.ports;
    return static_cast<uint8_t>(std::find(ports.begin(), ports.end(), name) - ports.begin());
  }

  void AddRule(const RuleSpec& spec) {
    tp_rule rule = {};
    tp_rule_key(policy_.seed, tp_name_hash(spec.name.data(), spec.name.size()), &rule.key_a,
                &rule.key_b);
    rule.slot = static_cast<uint32_t>(compiled_.rules.size());
    CompileLoss(spec.loss, &rule, &compiled_);
    CompileConditions(spec, &rule, &compiled_);
    rule.action = static_cast<uint8_t>(spec.forward.action);
    if (kActions[rule.action].leaves_by == TP_LEAVES_BY_PORT)
      rule.out_port = PortIndex(spec.forward.port);
    compiled_.rules.push_back(rule);
    compiled_.rule_names.push_back(spec.name);
  }

  absl::Status CheckRuns() const {
    if (compiled_.intervals.size() <= TP_MAX_INTERVALS) return absl::OkStatus();
    return Refuse("/rules",
                  absl::StrCat("sequences of ", compiled_.intervals.size(), " runs in all"),
                  absl::StrCat("at most ", TP_MAX_INTERVALS, " runs of packets 64 n to 64 n + 63"));
  }

  bool HasCondition(size_t r) const { return (compiled_.rules[r].flags & TP_RULE_CONDITIONS) != 0; }

  // Whether rule `r` matches every frame of its ports.
  bool TakesAll(size_t r) const {
    return MatchesEveryFrame(policy_.rules[r].match) && !HasCondition(r);
  }

  // Finds the first rule that matches every frame of each port.
  void FindFallbacks() {
    fallback_.assign(compiled_.ports.size(), static_cast<uint32_t>(policy_.rules.size()));
    for (size_t r = policy_.rules.size(); r-- > 0;) {
      const MatchSpec& match = policy_.rules[r].match;
      if (!TakesAll(r)) continue;
      for (size_t p = 0; p < fallback_.size(); p++) {
        if (!match.port || PortIndex(*match.port) == p) fallback_[p] = static_cast<uint32_t>(r);
      }
    }
  }

  // Finds what the reachable rules need. For example, the default rule of a wire is not reachable,
  // so its action "pass" needs no exception port.
  void FindNeeds() {
    needs_general_.resize(fallback_.size());
    compiled_.sends.resize(fallback_.size());
    for (size_t p = 0; p < fallback_.size(); p++) {
      for (size_t r = 0; r <= fallback_[p]; r++) {
        const bool is_default = r == policy_.rules.size();
        const RuleSpec& rule = is_default ? policy_.fallback : policy_.rules[r];
        if (rule.match.port && PortIndex(*rule.match.port) != p) continue;
        compiled_.matches_vlan |= rule.match.vlan.has_value();
        const tp_rule& made = compiled_.rules[r];
        const Action& action = kActions[made.action];
        compiled_.passes |= action.leaves_by == TP_LEAVES_BY_KERNEL;
        if (action.leaves_by == TP_LEAVES_BY_PORT) compiled_.sends[p] |= 1u << made.out_port;
        if (action.leaves_by == TP_LEAVES_BY_INGRESS) compiled_.sends[p] |= 1u << p;
        const bool by_flow = made.loss == TP_LOSS_FLOW, marks = made.flags & TP_RULE_MARKS;
        compiled_.has_flows |= by_flow;
        compiled_.rule_extras |= marks || made.action == TP_ACTION_REFLECT_ECHO;
        compiled_.timed |= made.flags & TP_RULE_TIMED;
        compiled_.counted |= made.flags & TP_RULE_COUNTED;
        if (!action.fast || by_flow || marks || made.loss == TP_LOSS_PACKET || HasCondition(r))
          needs_general_[p] = true;
      }
    }
  }

  // The ports that can reach rule `r`, which does not match every frame.
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

  // Finds every shape that some port can reach. Numbers them from 1 in the order of first use.
  absl::Status FindShapes() {
    std::vector<uint32_t> shapes_of_port(compiled_.ports.size());
    for (size_t r = 0; r < policy_.rules.size(); r++) {
      if (TakesAll(r)) continue;
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
      // Frames are read only if there is a shape. This empty shape makes the parser run; no rule is
      // looked up for it.
      const bool reads = needs_general_[p] || compiled_.shapes.size() > plan.first_shape;
      if (compiled_.drops_malformed && !reads) compiled_.shapes.push_back({{}, TP_NO_RULE, {}});
      plan.n_shapes = static_cast<uint32_t>(compiled_.shapes.size()) - plan.first_shape;
      std::stable_sort(
          compiled_.shapes.begin() + plan.first_shape, compiled_.shapes.end(),
          [](const tp_shape& a, const tp_shape& b) { return a.min_rule < b.min_rule; });
      plan.tier = needs_general_[p]    ? TP_TIER_GENERAL
                  : plan.n_shapes != 0 ? TP_TIER_HEADERS
                                       : TP_TIER_BLIND;
      compiled_.plans.push_back(plan);
    }
  }

  absl::Status AddEntries() {
    std::vector<RuleEntry> entries;
    std::unordered_map<tp_key, size_t, KeyHash, KeyEqual> entry_of;
    for (size_t r = 0; r < policy_.rules.size(); r++) {
      if (TakesAll(r) || PortsMeeting(r).empty()) continue;
      absl::Status status = ForEachKey(r, [&](const tp_key& mask, tp_key value) {
        const tp_key& shape_mask = shapes_[shape_index_.at(mask)].mask;
        value.shape = shape_mask.shape;
        auto [it, fresh] = entry_of.emplace(value, entries.size());
        if (!fresh) return AddAfter(r, &entries[it->second].rule);  // an earlier rule has this key
        if (entries.size() == TP_MAX_ENTRIES) return TooManyEntries(r);
        const uint32_t first = HasCondition(r) ? AddAlternative(r) : static_cast<uint32_t>(r);
        entries.push_back({value, tp_key_sum(&value, &shape_mask), first});
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

  // Adds a list that starts with rule `r`. Returns the value of tp_bucket.rule that refers to it.
  uint32_t AddAlternative(size_t r) {
    compiled_.alternatives.push_back({static_cast<uint32_t>(r), TP_NO_RULE});
    return static_cast<uint32_t>(compiled_.alternatives.size() - 1) | TP_ALTERNATIVE;
  }

  // Appends rule `r` to the list `first`: it matches if no earlier rule of the list holds.
  absl::Status AddAfter(size_t r, const uint32_t* first) {
    if (!(*first & TP_ALTERNATIVE)) return absl::OkStatus();
    uint32_t last = *first & ~TP_ALTERNATIVE;
    for (size_t length = 1;; length++) {
      const tp_alternative& candidate = compiled_.alternatives[last];
      if (!HasCondition(candidate.rule) || candidate.rule == r) return absl::OkStatus();
      if (length == TP_MAX_ALTERNATIVES)
        return Refuse(
            absl::StrCat("/rules/", r, "/match"),
            absl::StrCat("the same match as ", length, " rules with conditions before it"),
            absl::StrCat("at most ", TP_MAX_ALTERNATIVES - 1));
      if (candidate.next == TP_NO_RULE) break;
      last = candidate.next;
    }
    const uint32_t added = AddAlternative(r) & ~TP_ALTERNATIVE;
    compiled_.alternatives[last].next = added;
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
  std::vector<uint32_t> fallback_;   // by port
  std::vector<bool> needs_general_;  // by port: see tp_tier
  std::vector<Shape> shapes_;
  std::unordered_map<tp_key, size_t, KeyHash, KeyEqual> shape_index_;  // by mask, .shape 0
};

}  // namespace

absl::StatusOr<CompiledPolicy> CompilePolicy(const Policy& policy,
                                             const std::vector<std::string>& ports) {
  return Compiler(policy, ports).Run();
}

size_t TableBytes(const CompiledPolicy& policy) {
  size_t bytes = 0;
  ForEachTable(policy, [&bytes](const auto& rows) { bytes += rows.size() * sizeof(rows[0]); });
  return bytes;
}

void SetOrigin(uint64_t now, CompiledPolicy* policy) {
  for (tp_when& when : policy->whens) when.origin = now;
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
