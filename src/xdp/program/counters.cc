// SPDX-License-Identifier: BSD-3-Clause
// Reads counters that the kernel writes, in an order that keeps sums consistent.

#include "src/xdp/program/counters.h"

#include "src/policy/count.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

// The counters of one generation. A blind program does not count received frames: rx is the sum of
// its verdicts.
tp_queue_counters OfGeneration(const tp_queue_counters& shared, bool blind) {
  tp_queue_counters counters = {};
  tp_count decided = {};
  // Verdicts first: a program counts a frame as received before it counts the frame's verdict.
  for (size_t i = 0; i < TP_VERDICTS; i++) {
    counters.verdict[i] = tp_count_read(&shared.verdict[i]);
    tp_count_sum(&decided, &counters.verdict[i]);
  }
  for (size_t i = 0; i < TP_MAX_PORTS; i++) {
    counters.tx[i] = tp_count_read(&shared.tx[i]);
    tp_count_sum(&decided, &counters.tx[i]);
  }
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  counters.rx = blind ? decided : tp_count_read(&shared.rx);
  return counters;
}

}  // namespace

tp_queue_counters XdpCounters::Of(size_t port, uint32_t queue) const {
  tp_queue_counters sum = {};
  for (size_t generation = 0; generation < TP_GENERATIONS; generation++) {
    const bool blind = generation == streams_.generation() && streams_.blind(port);
    const tp_queue_counters counters =
        OfGeneration(maps_.queue(generation, port, queue).counters, blind);
    for (size_t i = 0; i < TP_VERDICTS; i++) tp_count_sum(&sum.verdict[i], &counters.verdict[i]);
    for (size_t i = 0; i < TP_MAX_PORTS; i++) tp_count_sum(&sum.tx[i], &counters.tx[i]);
    tp_count_sum(&sum.rx, &counters.rx);
  }
  return sum;
}

tp_queue_extras XdpCounters::Extras(size_t port, uint32_t queue) const {
  const tp_queue_extras& shared = maps_.extras(port, queue);
  return CopyCounters(shared);
}

int32_t XdpCounters::Cpu(size_t port, uint32_t queue) const {
  const size_t generation = streams_.generation();
  uint32_t cpu = __atomic_load_n(&maps_.queue(generation, port, queue).cpu, __ATOMIC_RELAXED);
  if (cpu == 0)
    cpu = __atomic_load_n(&maps_.queue(1 - generation, port, queue).cpu, __ATOMIC_RELAXED);
  return static_cast<int32_t>(cpu) - 1;
}

}  // namespace twinpath
