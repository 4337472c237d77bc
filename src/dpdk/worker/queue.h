// SPDX-License-Identifier: BSD-3-Clause
// One logical queue of a port: its part of the policy, its queue ends and its counters. Created by
// the control thread; every field says who writes it during the run.

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
  tp_count rx = {};       // received from the kernel
  tp_count tx = {};       // of rx: sent
  tp_count tx_full = {};  // of rx: refused by the TX queue, or too long
  __u64 too_long = 0;     // of tx_full: longer than the MTU
};

// A queue's part of a policy. Allocated by the control thread.
struct QueuePolicy {
  QueuePlan plan;                        // worker: rw
  EalArray<tp_state> states;             // by rule; worker: rw, control: ro
  EalArray<tp_rule_extras> rule_extras;  // worker: rw, control: ro; empty if no rule needs them
};

// During a reload the worker itself replaces the QueuePolicy.
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
  // Parts of tx_full, by out port: what its TX queue refused, and what is longer than its MTU.
  __u64 refused[TP_MAX_PORTS] = {};
  __u64 too_long[TP_MAX_PORTS] = {};
  // worker: rw; frames received beyond the budget's grant, oldest first, starting at `held_at`
  uint32_t held_at = 0, held = 0;
  rte_mbuf* held_frames[kMaxBurst] = {};
};

// Creates the part of `policy` for `queue`, at packet 0 of every stream, with memory on NUMA node
// `node`. `tables`, `flows` and `queue` must outlive it.
absl::StatusOr<QueuePolicy> MakeQueuePolicy(const CompiledPolicy& policy,
                                            const PolicyTables& tables, const tp_flow_table* flows,
                                            int node, Queue* queue);

// Creates a queue with its part of `policy`.
absl::StatusOr<std::unique_ptr<Queue>> MakeQueue(const QueueSpec& spec,
                                                 const CompiledPolicy& policy,
                                                 const PolicyTables& tables,
                                                 const tp_flow_table* flows, int node);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_QUEUE_H_
