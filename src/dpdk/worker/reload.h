// SPDX-License-Identifier: BSD-3-Clause
// The next policy for one worker. The worker applies it between two bursts, so that no packet meets
// both policies. The worker itself copies the streams that are kept, so that no packet changes a
// stream during the copy. It does so one queue at a time, so that no queue waits for the tens of
// thousands of streams of the others.

#ifndef TWINPATH_DPDK_WORKER_RELOAD_H_
#define TWINPATH_DPDK_WORKER_RELOAD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/dpdk/worker/queue.h"

namespace twinpath {

// Allocated and freed by the control thread. Owned by the worker between Publish() and
// HasPending() == false; afterwards it holds the old policy.
struct PendingPolicy {
  std::vector<QueuePolicy> queues;  // in the order of the worker's queues
  // For each new rule, the index of the current rule whose state it keeps, or TP_NO_RULE.
  const std::vector<uint32_t>* kept = nullptr;
  std::vector<uint32_t> removed;  // current rules whose state no new rule keeps
  size_t n_rules = 0;
  size_t applied = 0;  // queues that use the new policy

  // Applies the next queue's part to `queue`. False: that was the last one.
  bool Apply(Queue* queue);
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_RELOAD_H_
