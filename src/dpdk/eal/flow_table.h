// SPDX-License-Identifier: BSD-3-Clause
// The flow table that all queues share, in EAL memory. The control thread allocates it; workers
// write it under the locks of its regions.

#ifndef TWINPATH_DPDK_EAL_FLOW_TABLE_H_
#define TWINPATH_DPDK_EAL_FLOW_TABLE_H_

#include "absl/status/statusor.h"
#include "src/config/compile/flow_memory.h"
#include "src/dpdk/eal/tables.h"
#include "src/policy/pipeline.h"

namespace twinpath {

class FlowTable {
 public:
  // `alone`: one worker serves all queues, so that no lock is needed. ResourceExhausted: EAL lacks
  // memory on NUMA node `node`.
  static absl::StatusOr<FlowTable> Create(const FlowTableShape& shape, int node, bool alone);

  const tp_flow_table* get() const { return table_.get(); }

 private:
  FlowTable() = default;
  EalArray<tp_flow_bucket> buckets_;
  EalArray<tp_padded_region> regions_;
  EalArray<tp_flow_table> table_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_FLOW_TABLE_H_
