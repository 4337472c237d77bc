// SPDX-License-Identifier: BSD-3-Clause
// Counters and streams, summed up.

#include "src/xdp/program/snapshot.h"

#include <utility>

#include "src/policy/count.h"

namespace twinpath {

void AppendPort(const XdpRun& run, size_t index, PortSnapshot port, Snapshot* snapshot) {
  const CompiledPolicy& policy = run.policy();
  for (size_t i = snapshot->rules.size(); i < policy.rule_names.size(); i++) {
    snapshot->rules.emplace_back();
    snapshot->rules.back().name = policy.rule_names[i];
  }
  port.queues = run.maps().queues(index);
  port.extra.emplace_back("stray_packets", tp_count_load(&run.maps().strays(index).packets));
  for (uint32_t queue = 0; queue < port.queues; queue++) {
    const tp_queue_counters counters = run.counters().Of(index, queue);
    snapshot->queues.push_back({.port = port.name,
                                .queue = queue,
                                .core = run.counters().Cpu(index, queue),
                                .counters = counters,
                                .extras = run.counters().Extras(index, queue)});
    for (uint32_t r = 0; r < policy.rules.size(); r++) {
      const RuleSnapshot counts = run.streams().Counts(index, queue, r);
      tp_count_sum(&snapshot->rules[r].matched, &counts.matched);
      tp_count_sum(&snapshot->rules[r].lost, &counts.lost);
      tp_count_sum(&snapshot->rules[r].marked, &counts.marked);
    }
  }
  snapshot->ports.push_back(std::move(port));
}

}  // namespace twinpath
