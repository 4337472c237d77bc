// SPDX-License-Identifier: BSD-3-Clause
// One logical queue of a port, as its worker serves it: the queue's part of the policy, its ends,
// and its counters. Made by the control thread; every field says who writes it during the run.

#ifndef TWINPATH_DPDK_WORKER_QUEUE_H_
#define TWINPATH_DPDK_WORKER_QUEUE_H_

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/engine/burst.h"
#include "src/engine/keep_streams.h"
#include "src/policy/types.h"

namespace twinpath {

// Frames from the kernel, through the exception port. worker: rw, control: ro
struct KernelCounters {
  tp_count rx = {};       // from the kernel
  tp_count tx = {};       // of these, sent
  tp_count tx_full = {};  // of these, refused by the TX queue
};

// A queue's part of a policy. Allocated by the control thread.
struct QueuePolicy {
  QueuePlan plan;             // worker: rw
  EalArray<tp_state> states;  // by rule; worker: rw, control: ro
  EalArray<tp_count> marked;  // by rule; worker: rw, control: ro; none where no rule marks
};

// The policy's part is replaced by the worker alone.
struct Queue : QueuePolicy {
  // control: rw before the run; worker: ro
  uint8_t port = 0;  // index into the policy's ports
  bool has_to_kernel = false;
  bool has_from_kernel = false;
  bool completes = false, completes_to_kernel = false;  // as in QueueSpec
  uint32_t queue = 0;                                   // logical
  // control: rw before the run; worker: rw
  QueueEnd rx, to_kernel, from_kernel;
  QueueEnd tx[TP_MAX_PORTS];
  // worker: rw, control: ro
  alignas(64) tp_queue_counters counters = {};
  KernelCounters kernel;
  tp_queue_extras extras = {};
  RetiredCounts retired;
  __u64 refused[TP_MAX_PORTS] = {};  // of tx_full, by out port
  // worker: rw; frames received beyond the budget's grant, oldest first from `held_at`
  uint32_t held_at = 0, held = 0;
  rte_mbuf* held_frames[kMaxBurst] = {};
};

// The part of `policy` of a queue, at packet 0 of every stream, with memory on NUMA node `node`.
// `tables` and `flows`, and the queue, must outlive it.
absl::StatusOr<QueuePolicy> MakeQueuePolicy(const CompiledPolicy& policy,
                                            const PolicyTables& tables, const tp_flow_table* flows,
                                            int node, Queue* queue);

// A queue with its part of `policy`.
absl::StatusOr<std::unique_ptr<Queue>> MakeQueue(const QueueSpec& spec,
                                                 const CompiledPolicy& policy,
                                                 const PolicyTables& tables,
                                                 const tp_flow_table* flows, int node);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_QUEUE_H_
