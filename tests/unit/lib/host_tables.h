// SPDX-License-Identifier: BSD-3-Clause
// A compiled policy for the shared decision, with the host's tables. For tests of models, flows and
// conditions. HostTables owns what all queues share. Each HostQueue belongs to one thread, and
// borrows its HostTables.

#ifndef TWINPATH_TESTS_UNIT_LIB_HOST_TABLES_H_
#define TWINPATH_TESTS_UNIT_LIB_HOST_TABLES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/compile/host_datapath.h"
#include "tests/unit/lib/fates.h"

namespace twinpath {

// Compiles a policy for one port, "a". Throws the error if the policy is wrong.
inline CompiledPolicy CompileText(const std::string& json) {
  return CompilePolicy(ParsePolicy(json, "test").value(), {"a"}).value();
}

class HostTables {
 public:
  // `flow_memory` bytes for the table of flows; 0: none.
  explicit HostTables(CompiledPolicy policy, uint64_t flow_memory = 0)
      : policy_(std::move(policy)), flows_(flow_memory) {}
  HostTables(const HostTables&) = delete;
  HostTables& operator=(const HostTables&) = delete;

  const CompiledPolicy& policy() const { return policy_; }
  const FlowTableShape& shape() const { return flows_.shape(); }
  const std::vector<tp_flow_bucket>& buckets() const { return flows_.buckets(); }
  const tp_flow_table* flows() const { return flows_.table(); }

 private:
  const CompiledPolicy policy_;
  const HostFlows flows_;
};

class HostQueue {
 public:
  explicit HostQueue(const HostTables& tables, uint32_t queue = 0)
      : states_(InitialStates(tables.policy(), 0, queue)),
        rule_extras_(states_.size()),
        datapath_(HostDatapath(tables.policy(), 0)) {
    datapath_.states = states_.data();
    datapath_.rule_extras = rule_extras_.data();
    datapath_.extras = &extras_;
    datapath_.flows = tables.flows();
  }
  HostQueue(const HostQueue&) = delete;
  HostQueue& operator=(const HostQueue&) = delete;

  tp_datapath* datapath() { return &datapath_; }
  tp_state* state(size_t rule = 0) { return &states_[rule]; }
  const tp_queue_extras& extras() const { return extras_; }

  // Takes rule 0's next packets, in each way that the decision has.
  int Lose() { return tp_lose(&datapath_, state(), 0, 100); }
  int LoseShared() { return tp_lose_shared(&datapath_, state(), 0, 100); }
  uint64_t LoseRun(uint32_t count) { return tp_lose_run(&datapath_, state(), count); }
  int LoseFlow(uint64_t flow_key) {
    return tp_flow_lose(&datapath_, &datapath_.tables.rules[0], 0, flow_key);
  }

 private:
  std::vector<tp_state> states_;
  std::vector<tp_rule_extras> rule_extras_;
  tp_queue_extras extras_ = {};
  tp_datapath datapath_;
};

// The fates of rule 0's next 64 * `blocks` packets on a queue.
inline Fates FatesOf(HostQueue* queue, size_t blocks) {
  Fates fates(blocks);
  for (uint64_t& block : fates) block = queue->LoseRun(64);
  return fates;
}

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_HOST_TABLES_H_
