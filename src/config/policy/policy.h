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

// When a rule holds, by the time since the datapath started: for `for_ns` from `from_ns` on,
// repeated every `every_ns`. Nanoseconds, each at most 10 years.
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

  // A rule that does not hold matches nothing. All conditions that are set must hold.
  std::optional<TimeWindow> active;
  std::optional<uint64_t> packets;   // holds for so many packets of each port and queue: 1 to 2^48
  std::optional<Probability> flows;  // the share of five-tuples it holds for, both directions alike
};

struct Policy {
  std::string file;    // as given on the command line; empty where there was none
  std::string sha256;  // of the file's bytes, in hex; of the canonical JSON where there was no file
  uint64_t seed = 0;
  bool drops_malformed = false;    // "malformed": "drop": no rule is asked about these frames
  std::vector<RuleSpec> rules;     // in order; the first match wins
  RuleSpec fallback;               // named "default"; matches everything
  std::vector<std::string> ports;  // every port the policy names, in order of first mention
};

// Reads and validates the policy in `path`. Errors are InvalidArgument: "FILE: /rules/3/match/dst:
// found ..., allowed ...".
absl::StatusOr<Policy> LoadPolicy(const std::string& path);

// Reads and validates JSON text; `file` is its name in errors.
absl::StatusOr<Policy> ParsePolicy(std::string_view text, const std::string& file);

// --loss, --forward, --seed and --match of the command line: they replace the default rule's loss
// and forward, and the policy's seed. The forward "wire" connects the ports in pairs, in the order
// given, by one rule for each port, named "wire-NAME". With --match the loss is that of a rule
// before all others, named "match" (on a wire one for each port, "match-NAME").
struct PolicyOverrides {
  std::optional<std::string> loss;        // "50%"
  std::optional<std::string> forward;     // of ActionWords(), wire, or a port's name
  std::optional<std::string> seed;        // decimal
  std::optional<std::string> match = {};  // "src=10.0.0.0/8,proto=udp"; only with loss
};

// Reads `path`, or takes a policy that passes everything where `path` is empty, then applies the
// overrides. `ports` are the program's, in order; a policy that names another port is an error.
absl::StatusOr<Policy> MakePolicy(const std::string& path, const PolicyOverrides& overrides,
                                  const std::vector<std::string>& ports);

// Reads and validates JSON text; `file` is its name in errors.
absl::StatusOr<Policy> MakePolicyOf(std::string_view text, const std::string& file,
                                    const PolicyOverrides& overrides,
                                    const std::vector<std::string>& ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_POLICY_H_
