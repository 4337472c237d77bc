// SPDX-License-Identifier: BSD-3-Clause
// Sums counters and streams.

#include "src/xdp/program/snapshot.h"

#include <utility>

#include "src/policy/count.h"

namespace twinpath {
namespace {

// Adds what the rules counted on one queue.
void AddRules(const XdpRun& run, size_t port, uint32_t queue, std::vector<RuleSnapshot>* rules) {
  for (uint32_t r = 0; r < run.policy().rules.size(); r++) {
    const RuleSnapshot counts = run.streams().Counts(port, queue, r);
    tp_count_sum(&(*rules)[r].matched, &counts.matched);
    tp_count_sum(&(*rules)[r].lost, &counts.lost);
    tp_count_sum(&(*rules)[r].marked, &counts.marked);
    tp_count_sum(&(*rules)[r].unanswered, &counts.unanswered);
  }
}

}  // namespace

std::vector<RuleSnapshot> RuleCounts(const XdpRun& run) {
  std::vector<RuleSnapshot> rules(run.policy().rules.size());
  for (size_t port = 0; port < run.policy().ports.size(); port++)
    for (uint32_t queue = 0; queue < run.maps().queues(port); queue++)
      AddRules(run, port, queue, &rules);
  return rules;
}

void AppendPort(const XdpRun& run, size_t index, PortSnapshot port, Snapshot* snapshot) {
  const CompiledPolicy& policy = run.policy();
  for (size_t i = snapshot->rules.size(); i < policy.rule_names.size(); i++) {
    snapshot->rules.emplace_back();
    snapshot->rules.back().name = policy.rule_names[i];
  }
  port.queues = run.maps().queues(index);
  port.extra.emplace_back("stray_packets", tp_count_load(&run.maps().strays(index).packets));
  port.extra.emplace_back("tx_too_long_packets",
                          tp_count_load(&run.maps().too_long(index).packets));
  for (uint32_t queue = 0; queue < port.queues; queue++) {
    const tp_queue_counters counters = run.counters().Of(index, queue);
    snapshot->queues.push_back({.port = port.name,
                                .queue = queue,
                                .core = run.counters().Cpu(index, queue),
                                .counters = counters,
                                .extras = run.counters().Extras(index, queue)});
    AddRules(run, index, queue, &snapshot->rules);
  }
  snapshot->ports.push_back(std::move(port));
}

}  // namespace twinpath
