// SPDX-License-Identifier: BSD-3-Clause
// Reads the state of workers, links, TX queues and mempools a few times a second, and records in
// the fault ledger what fails and what recovers. The watcher only reads, so no thread waits for it.
// Control thread.

#ifndef TWINPATH_DPDK_RECOVER_FAULT_WATCHER_H_
#define TWINPATH_DPDK_RECOVER_FAULT_WATCHER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/worker/worker.h"
#include "src/telemetry/faults.h"

namespace twinpath {

// The objects to watch. They must outlive the watcher.
struct Watched {
  std::vector<Port>& ports;
  const std::map<int, Mempool>& mempools;  // by NUMA node
  const std::vector<std::unique_ptr<Worker>>& workers;
  const std::vector<uint32_t>& lcores;  // of the workers, in their order
  uint32_t burst;
};

class FaultWatcher {
 public:
  using Clock = FaultLedger::Clock;
  // After this long without a turn, a worker is stalled. A TX queue that has refused every frame
  // for this long is blocked.
  static constexpr std::chrono::milliseconds kPatience{1000};

  // How often the set-up of kernel interfaces is checked. It costs some system calls per port.
  static constexpr std::chrono::seconds kSetupInterval{1};

  FaultWatcher(const Watched& watched, FaultLedger* ledger, Clock::time_point now);
  void Look(Clock::time_point now);

 private:
  // A counter that should keep growing.
  struct Pulse {
    uint64_t value = 0;
    Clock::time_point since;  // the last look at which it grew, or had no reason to
  };
  void LookAtWorkers(Clock::time_point now);
  void LookAtPorts(Clock::time_point now);
  void LookAtMempools(Clock::time_point now);
  void LookAtSetups(Clock::time_point now);
  void LookAtLength(size_t port, Clock::time_point now);

  const Watched watched_;
  FaultLedger* const ledger_;
  Clock::time_point last_, next_setup_look_;
  std::vector<Pulse> turns_;         // by worker
  std::vector<Pulse> taken_;         // by port: frames that its TX queues took
  std::vector<uint64_t> refused_;    // by port: frames that its TX queues refused
  std::vector<uint64_t> too_long_;   // by port: frames longer than its MTU, at the last setup look
  std::map<int, uint64_t> no_mbuf_;  // by NUMA node
};

// The mbufs of a mempool that are free for any lcore.
uint32_t FreeMbufs(const Mempool& mempool);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_FAULT_WATCHER_H_
