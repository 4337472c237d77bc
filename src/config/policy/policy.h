// SPDX-License-Identifier: BSD-3-Clause
// A policy as a person wrote it, validated: what policy JSON becomes before it is compiled to
// tables. Plain values; no thread.

#ifndef TWINPATH_CONFIG_POLICY_POLICY_H_
#define TWINPATH_CONFIG_POLICY_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/policy/loss_spec.h"
#include "src/config/policy/match_spec.h"
#include "src/config/json/probability.h"

namespace twinpath {

struct ForwardSpec {
  enum class Action { kPass, kDrop, kReflect, kPort };
  Action action = Action::kPass;
  std::string port;  // kPort
};

// When a rule holds, by the time since the datapath started: from `from_ns` on for `for_ns`, and
// again `every_ns` after each start. Nanoseconds, each at most 10 years.
struct TimeWindow {
  uint64_t from_ns = 0;
  uint64_t for_ns = 0;    // 0: no end, and then every_ns is 0
  uint64_t every_ns = 0;  // 0: once; else more than for_ns
  bool operator==(const TimeWindow&) const = default;
};

struct RuleSpec {
  std::string name;
  MatchSpec match;
  LossSpec loss;
  ForwardSpec forward;

  // A rule that does not hold takes nothing: the next ones are tried. All that are set must hold.
  std::optional<TimeWindow> active;
  std::optional<uint64_t> packets;   // holds for so many packets of each port and queue: 1 to 2^48
  std::optional<Probability> flows;  // the share of five-tuples it holds for, both directions alike
};

struct Policy {
  std::string file;    // as given on the command line; empty where there was none
  std::string sha256;  // of the file's bytes, in hex; of the canonical JSON where there was no file
  uint64_t seed = 0;
  std::vector<RuleSpec> rules;     // in order; the first match wins
  RuleSpec fallback;               // named "default"; matches everything
  std::vector<std::string> ports;  // every port the policy names, in order of first mention
};

// Reads and validates the policy in `path`. Errors are InvalidArgument: "FILE: /rules/3/match/dst:
// found ..., allowed ...".
absl::StatusOr<Policy> LoadPolicy(const std::string& path);

// The same for JSON text; `file` names it in errors.
absl::StatusOr<Policy> ParsePolicy(std::string_view text, const std::string& file);

// What --loss, --forward and --seed of the command line change: they replace the default rule's
// loss and forward, and the policy's seed. With "wire" as forward, `ports` (in pairs, in the order
// given) are crossed: one rule a port, named "wire-NAME".
struct PolicyOverrides {
  std::optional<std::string> loss;     // "50%"
  std::optional<std::string> forward;  // pass, drop, reflect, wire, or a port's name
  std::optional<std::string> seed;     // decimal
};

// Reads `path` where it is not empty, else starts from a policy that passes everything, then
// applies the overrides. `ports` are the program's, in order; a policy that names another is an
// error.
absl::StatusOr<Policy> MakePolicy(const std::string& path, const PolicyOverrides& overrides,
                                  const std::vector<std::string>& ports);

// The same for JSON text; `file` names it in errors.
absl::StatusOr<Policy> MakePolicyOf(std::string_view text, const std::string& file,
                                    const PolicyOverrides& overrides,
                                    const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_POLICY_H_
