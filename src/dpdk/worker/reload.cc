// SPDX-License-Identifier: BSD-3-Clause
// Moves streams from one policy to the next. Runs on the worker's lcore.

#include "src/dpdk/worker/reload.h"

#include <utility>

#include "src/engine/keep_streams.h"

namespace twinpath {

bool PendingPolicy::Apply(Queue* queue) {
  QueuePolicy* next = &queues[applied];
  KeepStreams({queue->states.get(), queue->plan.datapath.rule_extras},
              {next->states.get(), next->plan.datapath.rule_extras}, *kept, removed,
              &queue->retired);
  std::swap(static_cast<QueuePolicy&>(*queue), *next);
  return ++applied < queues.size();
}

}  // namespace twinpath
