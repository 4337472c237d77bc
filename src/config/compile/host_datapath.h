// SPDX-License-Identifier: BSD-3-Clause
// Runs the shared decision on a compiled policy in this process's memory, without a datapath's
// tables: for explanations and tests. The compiled policy must outlive it. Any thread.

#ifndef TWINPATH_CONFIG_COMPILE_HOST_DATAPATH_H_
#define TWINPATH_CONFIG_COMPILE_HOST_DATAPATH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/config/compile/rule_table.h"
#include "src/policy/pipeline.h"

namespace twinpath {

// The datapath of a port. The caller sets streams, marks, flows and the time.
inline tp_datapath HostDatapath(const CompiledPolicy& policy, size_t port) {
  tp_datapath datapath = {};
#define TP_TABLE_BORROW(name, row) datapath.tables.name = policy.name.data();
  TP_TABLES(TP_TABLE_BORROW)
#undef TP_TABLE_BORROW
  datapath.tables.shapes += policy.plans[port].first_shape;
  datapath.tables.bucket_shift = BucketShift(policy.buckets.size());
  datapath.port = static_cast<__u8>(port);
  datapath.drops_malformed = policy.drops_malformed;
  return datapath;
}

// The whole decision of a frame of `length` bytes at `data`, in the tier of the port's plan.
inline tp_effects HostDecide(const CompiledPolicy& policy, tp_datapath* datapath, uint8_t* data,
                             uint32_t length) {
  const tp_plan& plan = policy.plans[datapath->port];
  datapath->data = data;
  datapath->end = data + length;
  const auto decide = plan.tier == TP_TIER_GENERAL ? tp_decide_general : tp_decide;
  return decide(datapath, length, plan.n_shapes, plan.fallback, 0);
}

// A flow table and its memory. `bytes` is 0 (no table) or at least kMinFlowMemory. Several threads
// may use it, unless `one_thread` is true.
class HostFlows {
 public:
  explicit HostFlows(uint64_t bytes, bool one_thread = false) {
    if (bytes == 0) return;
    shape_ = FlowTableWithin(bytes);
    buckets_.resize(shape_.buckets());
    regions_.resize(shape_.regions);
    table_ = {
        buckets_.data(), regions_.data(), {shape_.regions, shape_.region_buckets}, one_thread};
  }
  HostFlows(const HostFlows&) = delete;
  HostFlows& operator=(const HostFlows&) = delete;

  const FlowTableShape& shape() const { return shape_; }
  std::vector<tp_flow_bucket>& buckets() { return buckets_; }
  const std::vector<tp_flow_bucket>& buckets() const { return buckets_; }
  const tp_flow_table* table() const { return &table_; }

 private:
  FlowTableShape shape_;
  std::vector<tp_flow_bucket> buckets_;
  std::vector<tp_padded_region> regions_;
  tp_flow_table table_ = {};
};

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_HOST_DATAPATH_H_
