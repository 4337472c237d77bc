// SPDX-License-Identifier: BSD-3-Clause
// Creates queues and their parts of policies. Control thread.

#include "src/dpdk/worker/queue.h"

#include <algorithm>
#include <utility>

namespace twinpath {

absl::StatusOr<QueuePolicy> MakeQueuePolicy(const CompiledPolicy& policy,
                                            const PolicyTables& tables, const tp_flow_table* flows,
                                            int node, Queue* queue) {
  auto states = CopyToEal(InitialStates(policy, queue->port, queue->queue), node);
  if (!states.ok()) return states.status();
  auto rule_extras = EmptyInEal<tp_rule_extras>(policy.rule_extras ? policy.rules.size() : 0,
                                                "the further counters of rules", node);
  if (!rule_extras.ok()) return rule_extras.status();
  const tp_plan& plan = policy.plans[queue->port];
  QueuePolicy made;
  made.states = *std::move(states);
  made.rule_extras = *std::move(rule_extras);
  tp_datapath& datapath = made.plan.datapath;
  datapath.tables = tables.get();
  datapath.tables.shapes += plan.first_shape;
  datapath.states = made.states.get();
  datapath.rule_extras = policy.rule_extras ? made.rule_extras.get() : nullptr;
  datapath.extras = &queue->extras;
  datapath.flows = flows;
  datapath.port = queue->port;
  datapath.drops_malformed = policy.drops_malformed;
  made.plan.n_shapes = plan.n_shapes;
  made.plan.fallback = plan.fallback;
  made.plan.tier = static_cast<tp_tier>(plan.tier);
  made.plan.timed = policy.timed;
  made.plan.counted = policy.counted;
  return made;
}

absl::StatusOr<std::unique_ptr<Queue>> MakeQueue(const QueueSpec& spec,
                                                 const CompiledPolicy& policy,
                                                 const PolicyTables& tables,
                                                 const tp_flow_table* flows, int node) {
  auto queue = std::make_unique<Queue>();
  queue->port = static_cast<uint8_t>(spec.port);
  queue->queue = spec.queue;
  queue->rx = spec.rx;
  queue->completes = spec.completes;
  queue->completes_to_kernel = spec.completes_to_kernel;
  queue->has_to_kernel = spec.to_kernel.has_value();
  queue->to_kernel = spec.to_kernel.value_or(QueueEnd{});
  queue->has_from_kernel = spec.from_kernel.has_value();
  queue->from_kernel = spec.from_kernel.value_or(QueueEnd{});
  std::copy(spec.tx.begin(), spec.tx.end(), queue->tx);
  auto part = MakeQueuePolicy(policy, tables, flows, node, queue.get());
  if (!part.ok()) return part.status();
  static_cast<QueuePolicy&>(*queue) = *std::move(part);
  return queue;
}

}  // namespace twinpath
