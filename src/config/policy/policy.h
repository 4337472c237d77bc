// SPDX-License-Identifier: BSD-3-Clause
// A validated policy: policy JSON before it is compiled to tables. Plain values; no thread.

#ifndef TWINPATH_CONFIG_POLICY_POLICY_H_
#define TWINPATH_CONFIG_POLICY_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/json/probability.h"
#include "src/config/policy/loss_spec.h"
#include "src/config/policy/match_spec.h"
#include "src/policy/actions.h"

namespace twinpath {

struct ForwardSpec {
  tp_action action = TP_ACTION_PASS;
  std::string port;  // TP_ACTION_PORT
};

// When a rule holds: for `for_ns`, starting `from_ns` after the start of the datapath, repeated
// every `every_ns`. Nanoseconds, each at most 10 years.
struct TimeWindow {
  uint64_t from_ns = 0;
  uint64_t for_ns = 0;    // 0: no end; every_ns is then 0
  uint64_t every_ns = 0;  // 0: only once; otherwise more than for_ns
  bool operator==(const TimeWindow&) const = default;
};

struct RuleSpec {
  std::string name;
  MatchSpec match;
  LossSpec loss;
  ForwardSpec forward;

  // Conditions. A rule holds if all conditions that are set hold; otherwise it matches nothing.
  std::optional<TimeWindow> active;
  std::optional<uint64_t> packets;   // the first packets of each port and queue: 1 to 2^48
  std::optional<Probability> flows;  // a share of the flows; both directions are one flow
};

struct Policy {
  std::string file;    // as given on the command line; empty if there is none
  std::string sha256;  // in hex, of the file's bytes; without a file, of the canonical JSON
  uint64_t seed = 0;
  bool drops_malformed = false;    // "malformed": "drop": these frames are dropped before any rule
  std::vector<RuleSpec> rules;     // in order; the first match wins
  RuleSpec fallback;               // named "default"; matches everything
  std::vector<std::string> ports;  // all ports that the policy names, in order of first mention
};

// Reads and validates the policy in `path`. Errors are InvalidArgument: "FILE: /rules/3/match/dst:
// found ..., allowed ...".
absl::StatusOr<Policy> LoadPolicy(const std::string& path);

// Reads and validates JSON text; `file` is its name in errors.
absl::StatusOr<Policy> ParsePolicy(std::string_view text, const std::string& file);

// --loss, --forward, --seed and --match of the command line. They replace the default rule's loss
// and forward action, and the policy's seed. The forward "wire" connects the ports in pairs, in the
// given order, by one rule for each port, named "wire-NAME". With --match, the loss belongs to a
// new rule before all others, named "match" (on a wire one for each port, "match-NAME").
struct PolicyOverrides {
  std::optional<std::string> loss;        // "50%"
  std::optional<std::string> forward;     // of ActionWords(), wire, or a port's name
  std::optional<std::string> seed;        // decimal
  std::optional<std::string> match = {};  // "src=10.0.0.0/8,proto=udp"; only with loss
};

// Reads the policy in `path`, then applies the overrides. If `path` is empty, starts with a policy
// that passes everything. `ports` are the program's ports, in order. InvalidArgument if the policy
// names another port.
absl::StatusOr<Policy> MakePolicy(const std::string& path, const PolicyOverrides& overrides,
                                  const std::vector<std::string>& ports);

// MakePolicy for the JSON in `text`; `file` is its name in errors.
absl::StatusOr<Policy> MakePolicyOf(std::string_view text, const std::string& file,
                                    const PolicyOverrides& overrides,
                                    const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_POLICY_H_
