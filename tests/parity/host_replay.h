// SPDX-License-Identifier: BSD-3-Clause
// A third path, with the host's tables: the burst decision of the DPDK worker, without DPDK. Has
// the interface of the replays. For tests; one thread.

#ifndef TWINPATH_TESTS_PARITY_HOST_REPLAY_H_
#define TWINPATH_TESTS_PARITY_HOST_REPLAY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/config/compile/host_datapath.h"
#include "src/engine/burst.h"
#include "src/engine/frame_effects.h"
#include "src/telemetry/snapshot.h"
#include "tests/unit/lib/host_plan.h"

namespace twinpath {

class HostReplay {
 public:
  // Keeps a copy of the policy. Every port has `queues` queues.
  HostReplay(const CompiledPolicy& policy, uint32_t queues) : policy_(policy), per_port_(queues) {
    for (size_t port = 0; port < policy_.ports.size(); port++) {
      for (uint32_t q = 0; q < queues; q++) {
        Queue& queue = *queues_.emplace_back(std::make_unique<Queue>());
        queue.states = InitialStates(policy_, port, q);
        queue.rule_extras.resize(policy_.rules.size());
        queue.plan = HostPlan(policy_, port);
        queue.plan.datapath.states = queue.states.data();
        queue.plan.datapath.rule_extras = policy_.rule_extras ? queue.rule_extras.data() : nullptr;
        queue.plan.datapath.extras = &queue.extras;
        queue.plan.datapath.flows = flows_.table();
      }
    }
  }

  absl::StatusOr<FrameEffects> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
    std::vector<FrameEffects> effects = RunBurst(port, queue, {{frame.begin(), frame.end()}});
    return std::move(effects[0]);
  }

  // 1 to kMaxBurst frames at once.
  std::vector<FrameEffects> RunBurst(size_t port, uint32_t queue,
                                     std::vector<std::vector<uint8_t>> frames) {
    Queue& q = *queues_[port * per_port_ + queue];
    q.plan.datapath.now = clock_;
    const auto count = static_cast<uint32_t>(frames.size());
    for (uint32_t i = 0; i < count; i++) {
      const auto length = static_cast<uint32_t>(frames[i].size());
      burst_.Set(i, frames[i].data(), length, length);
    }
    tp_count_add(&q.counters.rx, count, Decide(&q.plan, count, &burst_));
    std::vector<FrameEffects> done(count);
    for (uint32_t i = 0; i < count; i++) {
      done[i].effects = burst_.effects[i];
      tp_count_add(tp_effects_count(&q.counters, done[i].effects, TP_DELIVERED), 1,
                   frames[i].size());
      if (done[i].leaves()) done[i].bytes = std::move(frames[i]);
    }
    return done;
  }

  void SetClock(uint64_t now) { clock_ = now; }

  twinpath::Snapshot Snapshot() const {
    twinpath::Snapshot snapshot;
    for (const std::string& name : policy_.rule_names) snapshot.rules.push_back({name, {}, {}, {}});
    for (size_t i = 0; i < queues_.size(); i++) {
      const Queue& queue = *queues_[i];
      snapshot.queues.push_back({policy_.ports[i / per_port_], static_cast<uint32_t>(i % per_port_),
                                 -1, queue.counters, queue.extras});
      AddStates(queue.states.data(), queue.states.size(), &snapshot.rules);
      AddRuleExtras(queue.rule_extras.data(), queue.rule_extras.size(), &snapshot.rules);
    }
    return snapshot;
  }

 private:
  struct Queue {
    QueuePlan plan;
    std::vector<tp_state> states;
    tp_queue_counters counters = {};
    tp_queue_extras extras = {};
    std::vector<tp_rule_extras> rule_extras;
  };
  const CompiledPolicy policy_;
  std::vector<std::unique_ptr<Queue>> queues_;
  const size_t per_port_;
  HostFlows flows_{kReplayFlowMemory};
  Burst burst_;
  uint64_t clock_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_HOST_REPLAY_H_
