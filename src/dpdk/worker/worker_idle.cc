// SPDX-License-Identifier: BSD-3-Clause
// The loop of a worker that may sleep. The loop of a worker that only polls is in worker.cc. Runs
// on one lcore.

#include <rte_cycles.h>

#include "src/dpdk/worker/idle_wait.h"
#include "src/dpdk/worker/worker.h"

namespace twinpath {

// The worker stays online while it sleeps, so that no other thread applies its pending policy. A
// thread that waits for its quiescent state waits at most IdleWait::kLongestWait.
void Worker::RunAdaptive(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id) {
  const uint64_t polling = rte_get_tsc_hz() * IdleWait::kPolling.count() / 1000000;
  uint64_t last_packet = rte_rdtsc();
  idle_->Begin();
  do {
    const uint64_t before = turn_counters_.packets;
    const auto nothing_came = [&] { return turn_counters_.packets == before; };
    Turn();
    for (uint64_t turn = 1; turn < kHousekeepingTurns && !nothing_came(); turn++) Turn();
    if (!nothing_came()) {
      last_packet = rte_rdtsc();
      idle_->Reset();
    } else if (rte_rdtsc() - last_packet > polling) {
      idle_->Arm();
      Turn();
      if (nothing_came()) {
        const uint64_t from = rte_rdtsc();
        idle_->Wait();
        turn_counters_.sleeps++;
        turn_counters_.slept += rte_rdtsc() - from;
      }
      idle_->Disarm();
    }
    ApplyPending();
    ApplyRewires();
    rte_rcu_qsbr_quiescent(quiescence, id);
  } while (Housekeep(stop));
  rte_rcu_qsbr_thread_offline(quiescence, id);
}

}  // namespace twinpath
