// SPDX-License-Identifier: BSD-3-Clause
// Compiles a policy to the tables that both datapaths use. Plain values, built once by the control
// thread and read-only afterwards.

#ifndef TWINPATH_CONFIG_COMPILE_COMPILE_H_
#define TWINPATH_CONFIG_COMPILE_COMPILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"
#include "src/policy/tables.h"
#include "src/policy/types.h"

namespace twinpath {

struct CompiledPolicy {
  std::vector<std::string> ports;       // index = port number in all tables
  std::vector<std::string> rule_names;  // index = rule number; the last is "default"
  std::vector<tp_plan> plans;           // one for each port

  // The tables of src/policy/tables.h; rule_table.h says how many buckets there are. Row 0 of the
  // models and of the whens belongs to no rule.
#define TP_TABLE_ROWS(name, row) std::vector<row> name;
  TP_TABLES(TP_TABLE_ROWS)
#undef TP_TABLE_ROWS

  // Features that the reachable rules need; a datapath may lack them.
  std::vector<uint32_t> sends;  // by port: bit p, some of its frames leave by port p
  bool passes = false;          // at least one rule has "pass"
  bool matches_vlan = false;
  bool has_flows = false;        // a flow table
  bool rule_extras = false;      // tp_rule_extras: packets that were marked or not answered
  bool timed = false;            // a clock
  bool drops_malformed = false;  // TP_DROPS_MALFORMED
  bool counted = false;          // packets decided one after the other: see TP_RULE_COUNTED
};

// Compiles `policy` for a program whose ports are `ports`, in order. Errors (InvalidArgument) name
// the rule's JSON pointer: a port that is not among `ports`, or more shapes, entries or ports than
// TP_MAX_* allow, with the counts.
absl::StatusOr<CompiledPolicy> CompilePolicy(const Policy& policy,
                                             const std::vector<std::string>& ports);

// Calls `each(rows)` for each table of a policy, in the order of TP_TABLES.
template <typename Each>
void ForEachTable(const CompiledPolicy& policy, const Each& each) {
#define TP_TABLE_EACH(name, row) each(policy.name);
  TP_TABLES(TP_TABLE_EACH)
#undef TP_TABLE_EACH
}

// The memory that the tables take, in bytes.
size_t TableBytes(const CompiledPolicy& policy);

// Sets the time from which all conditions count: `now` in nanoseconds of the datapath's clock.
void SetOrigin(uint64_t now, CompiledPolicy* policy);

// The stream states of one queue of one port, at packet 0, one for each rule.
std::vector<tp_state> InitialStates(const CompiledPolicy& policy, size_t port, uint32_t queue);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_COMPILE_H_
