// SPDX-License-Identifier: BSD-3-Clause
// A third path, over the host's tables: what a frame meets by the shared decision alone, without
// either datapath. Has the replays' interface. For tests; one thread.

#ifndef TWINPATH_TESTS_PARITY_HOST_REPLAY_H_
#define TWINPATH_TESTS_PARITY_HOST_REPLAY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/engine/frame_verdict.h"
#include "src/config/compile/host_datapath.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class HostReplay {
 public:
  // Keeps a copy of the policy. Every port has `queues` queues.
  HostReplay(const CompiledPolicy& policy, uint32_t queues) : policy_(policy) {
    for (size_t port = 0; port < policy_.ports.size(); port++) {
      for (uint32_t queue = 0; queue < queues; queue++) {
        queues_.push_back({InitialStates(policy_, port, queue), {}, {}, {}});
        queues_.back().marked.resize(policy_.rules.size());
      }
    }
    per_port_ = queues;
  }

  absl::StatusOr<FrameVerdict> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
    Queue& q = queues_[port * per_port_ + queue];
    tp_datapath datapath = HostDatapath(policy_, port);
    datapath.states = q.states.data();
    datapath.marked = policy_.marks ? q.marked.data() : nullptr;
    datapath.extras = &q.extras;
    datapath.flows = flows_.table();
    datapath.now = clock_;
    std::vector<uint8_t> bytes(frame.begin(), frame.end());
    const uint32_t length = static_cast<uint32_t>(bytes.size());
    const tp_decision decision = HostDecide(policy_, &datapath, bytes.data(), length);
    tp_count_add(&q.counters.rx, 1, length);
    tp_count_add(tp_verdict_count(&q.counters, decision.verdict, decision.out_port), 1, length);
    FrameVerdict result;
    result.verdict = decision.verdict;
    if (decision.rule != TP_NO_RULE) result.rule = decision.rule;
    if (decision.verdict == TP_TX) result.out_port = decision.out_port;
    if (decision.verdict == TP_TX || decision.verdict == TP_PASS) result.bytes = std::move(bytes);
    return result;
  }

  void SetClock(uint64_t now) { clock_ = now; }

  twinpath::Snapshot Snapshot() const {
    twinpath::Snapshot snapshot;
    for (const std::string& name : policy_.rule_names) snapshot.rules.push_back({name, {}, {}, {}});
    for (size_t i = 0; i < queues_.size(); i++) {
      snapshot.queues.push_back({policy_.ports[i / per_port_], static_cast<uint32_t>(i % per_port_),
                                 -1, queues_[i].counters, queues_[i].extras});
      AddStates(queues_[i].states.data(), queues_[i].states.size(), &snapshot.rules);
      AddMarked(queues_[i].marked.data(), queues_[i].marked.size(), &snapshot.rules);
    }
    return snapshot;
  }

 private:
  struct Queue {
    std::vector<tp_state> states;
    tp_queue_counters counters;
    tp_queue_extras extras;
    std::vector<tp_count> marked;
  };
  CompiledPolicy policy_;
  std::vector<Queue> queues_;
  size_t per_port_;
  HostFlows flows_{kReplayFlowMemory};
  uint64_t clock_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_HOST_REPLAY_H_
