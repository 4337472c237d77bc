// SPDX-License-Identifier: BSD-3-Clause
// Reads memory that the kernel writes: each counter whole, all of them not at one instant.

#include "src/xdp/snapshot.h"

#include <utility>

namespace twinpath {
namespace {

tp_queue_counters ReadCounters(const tp_queue_counters& shared) {
  tp_queue_counters copy;
  const auto* from = reinterpret_cast<const tp_u64_alias*>(&shared);
  auto* to = reinterpret_cast<tp_u64_alias*>(&copy);
  for (size_t i = 0; i < sizeof(copy) / sizeof(*to); i++)
    to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
  return copy;
}

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
    const tp_xdp_queue& shared = tables.queue(index, queue);
    const uint32_t cpu = __atomic_load_n(&shared.cpu, __ATOMIC_RELAXED);
    snapshot->queues.push_back({.port = port.name,
                                .queue = queue,
                                .core = static_cast<int32_t>(cpu) - 1,
                                .counters = ReadCounters(shared.counters)});
    const absl::Span<const tp_state> states = tables.states(index, queue);
    AddStates(states.data(), states.size(), &snapshot->rules);
  }
  snapshot->ports.push_back(std::move(port));
}

}  // namespace twinpath
