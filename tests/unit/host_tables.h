// SPDX-License-Identifier: BSD-3-Clause
// A compiled policy as the shared decision sees it, on the host's tables: for tests of models,
// flows and conditions. HostTables owns what all queues share; each HostQueue belongs to one
// thread, and borrows its HostTables.

#ifndef TWINPATH_TESTS_UNIT_HOST_TABLES_H_
#define TWINPATH_TESTS_UNIT_HOST_TABLES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "src/config/compile.h"
#include "src/config/flow_memory.h"
#include "src/policy/host.h"

namespace twinpath {

// Of a policy for one port, "a". Throws, with what is wrong, where it is not one.
inline CompiledPolicy CompileText(const std::string& json) {
  return CompilePolicy(ParsePolicy(json, "test").value(), {"a"}).value();
}

class HostTables {
 public:
  // `flow_memory` octets for the table of flows; 0: none.
  explicit HostTables(CompiledPolicy policy, uint64_t flow_memory = 0)
      : policy_(std::move(policy)) {
    if (flow_memory == 0) return;
    shape_ = FlowTableWithin(flow_memory);
    buckets_.resize(shape_.buckets());
    regions_.resize(shape_.regions);
    flows_ = {buckets_.data(), regions_.data(), shape_.regions, shape_.region_buckets, 0};
  }
  HostTables(const HostTables&) = delete;
  HostTables& operator=(const HostTables&) = delete;

  const CompiledPolicy& policy() const { return policy_; }
  const FlowTableShape& shape() const { return shape_; }
  const std::vector<tp_flow_bucket>& buckets() const { return buckets_; }
  const tp_flow_table* flows() const { return &flows_; }

 private:
  const CompiledPolicy policy_;
  FlowTableShape shape_;
  std::vector<tp_flow_bucket> buckets_;
  std::vector<tp_flow_region> regions_;
  tp_flow_table flows_ = {};
};

class HostQueue {
 public:
  explicit HostQueue(const HostTables& tables, uint32_t queue = 0)
      : states_(InitialStates(tables.policy(), 0, queue)), marked_(states_.size()) {
    const CompiledPolicy& policy = tables.policy();
    datapath_.shapes = policy.shapes.data() + policy.plans[0].first_shape;
    datapath_.buckets = policy.buckets.data();
    datapath_.entries = policy.entries.data();
    datapath_.rules = policy.rules.data();
    datapath_.details = policy.details.data();
    datapath_.links = policy.links.data();
    datapath_.runs = policy.runs.data();
    datapath_.states = states_.data();
    datapath_.marked = marked_.data();
    datapath_.extras = &extras_;
    datapath_.flows = tables.flows();
    datapath_.bucket_mask = static_cast<uint32_t>(policy.buckets.size() - 1);
  }
  HostQueue(const HostQueue&) = delete;
  HostQueue& operator=(const HostQueue&) = delete;

  tp_datapath* datapath() { return &datapath_; }
  tp_state* state(size_t rule = 0) { return &states_[rule]; }
  const tp_queue_extras& extras() const { return extras_; }

  // Rule 0's next packets, in each of the decision's ways of taking them.
  int Lose() { return tp_lose(&datapath_, state(), 100); }
  int LoseShared() { return tp_lose_shared(&datapath_, state(), 100); }
  uint64_t LoseRun(uint32_t count) { return tp_lose_run(&datapath_, state(), count); }
  int LoseFlow(uint64_t flow_key) {
    return tp_flow_lose(&datapath_, &datapath_.rules[0], 0, flow_key);
  }

 private:
  std::vector<tp_state> states_;
  std::vector<tp_count> marked_;
  tp_queue_extras extras_ = {};
  tp_datapath datapath_ = {};
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_HOST_TABLES_H_
