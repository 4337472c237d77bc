// SPDX-License-Identifier: BSD-3-Clause
// Makes a queue's part of a policy. Control thread.

#include "src/sockets/worker/queue.h"

#include "src/config/compile/host_datapath.h"

namespace twinpath {

SocketQueuePolicy MakeSocketQueuePolicy(const CompiledPolicy& policy, const tp_flow_table* flows,
                                        SocketQueue* queue) {
  SocketQueuePolicy made;
  made.states = InitialStates(policy, queue->port, queue->queue);
  made.rule_extras.resize(policy.rule_extras ? policy.rules.size() : 0);
  tp_datapath& datapath = made.plan.datapath;
  datapath = HostDatapath(policy, queue->port);
  datapath.states = made.states.data();  // stays valid when the vector is moved
  datapath.rule_extras = policy.rule_extras ? made.rule_extras.data() : nullptr;
  datapath.extras = &queue->extras;
  datapath.flows = flows;
  const tp_plan& plan = policy.plans[queue->port];
  made.plan.n_shapes = plan.n_shapes;
  made.plan.fallback = plan.fallback;
  made.plan.tier = static_cast<tp_tier>(plan.tier);
  made.plan.timed = policy.timed;
  made.plan.counted = policy.counted;
  return made;
}

}  // namespace twinpath
