// SPDX-License-Identifier: BSD-3-Clause
// Reads counters from memory that the kernel writes, in the order that keeps sums consistent.

#include "src/xdp/program/counters.h"

#include "src/policy/count.h"

namespace twinpath {
namespace {

uint64_t Read(const __u64& counter) { return __atomic_load_n(&counter, __ATOMIC_RELAXED); }

tp_count Read(const tp_count& count) {
  return {.packets = Read(count.packets), .bytes = Read(count.bytes)};
}

void Add(const tp_count& count, tp_count* sum) { tp_count_add(sum, count.packets, count.bytes); }

// Of one generation. A blind program counts what it receives by verdict alone.
tp_queue_counters OfGeneration(const tp_queue_counters& shared, bool blind) {
  tp_queue_counters counters = {};
  tp_count decided = {};
  // Verdicts first: a program counts a frame as received before it counts the frame's verdict.
  for (size_t i = 0; i < TP_VERDICTS; i++) {
    counters.verdict[i] = Read(shared.verdict[i]);
    Add(counters.verdict[i], &decided);
  }
  for (size_t i = 0; i < TP_MAX_PORTS; i++) {
    counters.tx[i] = Read(shared.tx[i]);
    Add(counters.tx[i], &decided);
  }
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  counters.rx = blind ? decided : Read(shared.rx);
  return counters;
}

}  // namespace

tp_queue_counters XdpCounters::Of(size_t port, uint32_t queue) const {
  tp_queue_counters sum = {};
  for (size_t generation = 0; generation < TP_GENERATIONS; generation++) {
    const bool blind = generation == streams_.generation() && streams_.blind(port);
    const tp_queue_counters counters =
        OfGeneration(maps_.queue(generation, port, queue).counters, blind);
    for (size_t i = 0; i < TP_VERDICTS; i++) Add(counters.verdict[i], &sum.verdict[i]);
    for (size_t i = 0; i < TP_MAX_PORTS; i++) Add(counters.tx[i], &sum.tx[i]);
    Add(counters.rx, &sum.rx);
  }
  return sum;
}

tp_queue_extras XdpCounters::Extras(size_t port, uint32_t queue) const {
  const tp_queue_extras& shared = maps_.extras(port, queue);
  return {.marked = Read(shared.marked),
          .flows_added = Read(shared.flows_added),
          .flows_evicted = Read(shared.flows_evicted)};
}

int32_t XdpCounters::Cpu(size_t port, uint32_t queue) const {
  const size_t generation = streams_.generation();
  uint32_t cpu = __atomic_load_n(&maps_.queue(generation, port, queue).cpu, __ATOMIC_RELAXED);
  if (cpu == 0)
    cpu = __atomic_load_n(&maps_.queue(1 - generation, port, queue).cpu, __ATOMIC_RELAXED);
  return static_cast<int32_t>(cpu) - 1;
}

}  // namespace twinpath
