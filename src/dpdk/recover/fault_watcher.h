// SPDX-License-Identifier: BSD-3-Clause
// Looks, a few times a second, at what the workers, links, TX queues and mempools say of
// themselves, and enters what is wrong, or right again, in the ledger of faults. It only reads:
// nothing waits for it. Control thread.

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

// What is watched, and outlives the watcher.
struct Watched {
  const std::vector<Port>& ports;
  const std::map<int, Mempool>& mempools;  // by NUMA node
  const std::vector<std::unique_ptr<Worker>>& workers;
  const std::vector<uint32_t>& lcores;  // the workers', in order
  uint32_t burst;
};

class FaultWatcher {
 public:
  using Clock = FaultLedger::Clock;
  // A worker that has not turned for so long stands still; a TX queue that took nothing of what it
  // was offered for so long is blocked.
  static constexpr std::chrono::milliseconds kPatience{1000};

  FaultWatcher(const Watched& watched, FaultLedger* ledger, Clock::time_point now);
  void Look(Clock::time_point now);

 private:
  // Something that grows while all is well.
  struct Pulse {
    uint64_t value = 0;
    Clock::time_point since;  // it was last seen to grow, or to have no reason to
  };
  void LookAtWorkers(Clock::time_point now);
  void LookAtPorts(Clock::time_point now);
  void LookAtMempools(Clock::time_point now);

  const Watched watched_;
  FaultLedger* const ledger_;
  Clock::time_point last_;
  std::vector<Pulse> turns_;         // by worker
  std::vector<Pulse> taken_;         // by port: frames that its TX queues took
  std::vector<uint64_t> refused_;    // by port: and that they did not
  std::map<int, uint64_t> no_mbuf_;  // by NUMA node
};

// Of a mempool: the mbufs that are free for any lcore.
uint32_t FreeMbufs(const Mempool& mempool);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_FAULT_WATCHER_H_
