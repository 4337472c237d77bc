// SPDX-License-Identifier: BSD-3-Clause
// A policy as a person wrote it, validated: what policy JSON becomes before it is compiled to
// tables. Plain values; no thread.

#ifndef TWINPATH_CONFIG_POLICY_H_
#define TWINPATH_CONFIG_POLICY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace twinpath {

// A probability in [0, 1], as the 64-bit threshold that the datapaths compare draws with. Both ends
// are exact.
struct Probability {
  std::string text;        // as written: "1%", 0.01
  double value = 0;        // for people
  uint64_t threshold = 0;  // of 2^64; 0 and 2^64 are told by `never` and `always`
  bool never = true;
  bool always = false;
};

// Reads "1%", "0.01" or "1e-4". The decimal is shifted, never divided, so that "0.1%" and 0.001 are
// the same threshold.
absl::StatusOr<Probability> ParseProbability(std::string_view text);

struct LossSpec {
  enum class Model { kNone, kRandom };
  Model model = Model::kNone;
  Probability rate;
};

struct ForwardSpec {
  enum class Action { kPass, kDrop, kReflect, kPort };
  Action action = Action::kPass;
  std::string port;  // kPort
};

struct AddressPrefix {
  int version = 4;                      // 4 or 6
  std::array<uint8_t, 16> octets = {};  // network order; v4 in the first four
  int length = 0;                       // prefix length in bits
  bool operator==(const AddressPrefix&) const = default;
};

struct PortRange {
  uint16_t first = 0, last = 0;  // inclusive, host order
  bool operator==(const PortRange&) const = default;
};

// Every field that is set must hold for a packet to match.
struct MatchSpec {
  std::optional<std::string> port;  // ingress
  std::optional<uint16_t> ether_type;
  std::optional<std::optional<uint16_t>>
      vlan;  // VID of the outer tag; an inner nullopt is "none": no tag
  std::optional<std::array<uint8_t, 6>> src_mac, dst_mac;
  std::optional<int> ip_version;
  std::optional<AddressPrefix> src, dst;
  std::optional<uint8_t> proto;
  std::optional<PortRange> src_port, dst_port;  // TCP and UDP
  bool operator==(const MatchSpec&) const = default;
};

struct RuleSpec {
  std::string name;
  MatchSpec match;
  LossSpec loss;
  ForwardSpec forward;
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

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_H_
