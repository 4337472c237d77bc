// SPDX-License-Identifier: BSD-3-Clause
// The queues of one policy, twice: one set is decided in bursts (src/engine), the other frame by
// frame by src/policy/pipeline.h. For tests and fuzzers of the burst decision. One thread.

#ifndef TWINPATH_TESTS_UNIT_BURST_PAIR_H_
#define TWINPATH_TESTS_UNIT_BURST_PAIR_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/compile/host_datapath.h"
#include "src/engine/burst.h"
#include "src/engine/frame_effects.h"
#include "tests/unit/lib/host_plan.h"

namespace twinpath {

// A received frame: its first segment, and the length of all segments.
struct TestFrame {
  std::vector<uint8_t> segment;
  uint32_t frame_len = 0;  // at least the segment's size
};

class BurstPair {
 public:
  explicit BurstPair(CompiledPolicy policy, uint64_t flow_memory = kMinFlowMemory)
      : policy_(std::move(policy)), bursts_(policy_, flow_memory), singles_(policy_, flow_memory) {}
  BurstPair(const BurstPair&) = delete;
  BurstPair& operator=(const BurstPair&) = delete;

  const CompiledPolicy& policy() const { return policy_; }

  // Decides 1 to kMaxBurst frames, received by `port` at `now`, in both ways. Returns the first
  // difference in effects, bytes, streams or counts; empty if there is none.
  std::string Feed(size_t port, const std::vector<TestFrame>& frames, uint64_t now) {
    const auto count = static_cast<uint32_t>(frames.size());
    const std::vector<Copy> together = CopiesOf(frames), alone = CopiesOf(frames);
    Queue& burst_queue = *bursts_.queues[port];
    burst_queue.plan.datapath.now = now;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
      bytes += frames[i].frame_len;
      burst_.Set(i, together[i].get(), static_cast<uint32_t>(frames[i].segment.size()),
                 frames[i].frame_len);
    }
    if (Decide(&burst_queue.plan, count, &burst_) != bytes) return "the bytes of the burst";
    for (uint32_t i = 0; i < count; i++) {
      const std::string which = "frame " + std::to_string(i) + ": ";
      const tp_effects effects = DecideAlone(port, alone[i].get(), frames[i], now);
      if (!(effects == burst_.effects[i])) return which + "effects";
      if (std::memcmp(together[i].get(), alone[i].get(), frames[i].segment.size()) != 0)
        return which + "bytes";
    }
    return Difference(port);
  }

  // The effects on the frames of the last burst.
  const tp_effects* effects() const { return burst_.effects; }
  const tp_state& state(size_t port, size_t rule) const {
    return bursts_.queues[port]->states[rule];
  }

 private:
  // Exactly as long as the segment, so that a sanitizer sees any read beyond it.
  using Copy = std::unique_ptr<uint8_t[]>;
  struct Queue {
    QueuePlan plan;
    std::vector<tp_state> states;
    std::vector<tp_rule_extras> rule_extras;
    tp_queue_extras extras = {};
  };
  struct Side {
    Side(const CompiledPolicy& policy, uint64_t flow_memory) : flows(flow_memory, true) {
      for (size_t port = 0; port < policy.ports.size(); port++) {
        Queue& queue = *queues.emplace_back(std::make_unique<Queue>());
        queue.states = InitialStates(policy, port, 0);
        queue.rule_extras.resize(policy.rules.size());
        queue.plan = HostPlan(policy, port);
        queue.plan.datapath.states = queue.states.data();
        queue.plan.datapath.rule_extras = policy.rule_extras ? queue.rule_extras.data() : nullptr;
        queue.plan.datapath.extras = &queue.extras;
        queue.plan.datapath.flows = policy.has_flows ? flows.table() : nullptr;
      }
    }
    HostFlows flows;
    std::vector<std::unique_ptr<Queue>> queues;  // by port
  };

  static std::vector<Copy> CopiesOf(const std::vector<TestFrame>& frames) {
    std::vector<Copy> copies;
    for (const TestFrame& frame : frames) {
      copies.emplace_back(new uint8_t[frame.segment.size()]);
      std::copy(frame.segment.begin(), frame.segment.end(), copies.back().get());
    }
    return copies;
  }

  tp_effects DecideAlone(size_t port, uint8_t* data, const TestFrame& frame, uint64_t now) {
    const QueuePlan& plan = singles_.queues[port]->plan;
    tp_datapath* datapath = &singles_.queues[port]->plan.datapath;
    datapath->now = now;
    datapath->data = data;
    datapath->end = data + frame.segment.size();
    const auto decide = plan.tier == TP_TIER_GENERAL ? tp_decide_general : tp_decide;
    return decide(datapath, frame.frame_len, plan.n_shapes, plan.fallback, 0);
  }

  std::string Difference(size_t port) const {
    const Queue& a = *bursts_.queues[port];
    const Queue& b = *singles_.queues[port];
    const auto same = [](const auto& x, const auto& y) {
      return std::memcmp(x.data(), y.data(), x.size() * sizeof(x[0])) == 0;
    };
    if (!same(a.states, b.states)) return "the streams";
    if (!same(a.rule_extras, b.rule_extras)) return "the further counters of rules";
    if (std::memcmp(&a.extras, &b.extras, sizeof(a.extras)) != 0) return "the extra counters";
    if (policy_.has_flows && !same(bursts_.flows.buckets(), singles_.flows.buckets()))
      return "the flows";
    return "";
  }

  const CompiledPolicy policy_;
  Side bursts_, singles_;
  Burst burst_;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_BURST_PAIR_H_
