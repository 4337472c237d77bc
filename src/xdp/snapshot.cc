// SPDX-License-Identifier: BSD-3-Clause
// Counters and streams, summed up.

#include "src/xdp/snapshot.h"

#include <utility>

#include "src/policy/count.h"

namespace twinpath {
namespace {

void Add(const tp_count& more, tp_count* sum) { tp_count_add(sum, more.packets, more.bytes); }

}  // namespace

void AppendPort(const XdpTables& tables, size_t index, PortSnapshot port, Snapshot* snapshot) {
  const CompiledPolicy& policy = tables.policy();
  for (size_t i = snapshot->rules.size(); i < policy.rule_names.size(); i++) {
    snapshot->rules.emplace_back();
    snapshot->rules.back().name = policy.rule_names[i];
  }
  port.queues = tables.queues(index);
  port.extra.emplace_back("stray_packets",
                          __atomic_load_n(&tables.strays(index).packets, __ATOMIC_RELAXED));
  for (uint32_t queue = 0; queue < port.queues; queue++) {
    const tp_queue_counters counters = tables.Counters(index, queue);
    snapshot->queues.push_back({.port = port.name,
                                .queue = queue,
                                .core = tables.Cpu(index, queue),
                                .counters = counters,
                                .extras = tables.Extras(index, queue)});
    const absl::Span<const tp_count> marked = tables.marked(index, queue);
    AddMarked(marked.data(), marked.size(), &snapshot->rules);
    const absl::Span<const tp_state> states = tables.states(index, queue);
    if (tables.sole(index)) {
      RuleSnapshot& rule = snapshot->rules[states[0].rule];
      Add(counters.rx, &rule.matched);
      Add(counters.verdict[TP_LOST], &rule.lost);
    } else {
      AddStates(states.data(), states.size(), &snapshot->rules);
    }
  }
  snapshot->ports.push_back(std::move(port));
}

}  // namespace twinpath
