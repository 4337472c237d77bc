// SPDX-License-Identifier: BSD-3-Clause
// What is done about a port whose kernel interface vanishes while the workers run: they are led
// away from it, one after the other between two of their bursts, its device is let go of, and when
// an interface of its name is there again, the port is opened anew and the workers are led back.
// One port at a time; nothing here waits for a worker, or for who reads the ports. Control thread.

#ifndef TWINPATH_DPDK_PORT_RECOVERY_H_
#define TWINPATH_DPDK_PORT_RECOVERY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/config/profile.h"
#include "src/dpdk/interface_guard.h"
#include "src/dpdk/mempool.h"
#include "src/dpdk/port.h"
#include "src/dpdk/worker.h"
#include "src/telemetry/faults.h"

namespace twinpath {

class PortRecovery {
 public:
  using Clock = FaultLedger::Clock;
  // A device that is there and does not start is tried again after a second, then two, four, ...:
  // so often. Each try may cost mbufs that the AF_XDP PMD does not give back.
  static constexpr int kTries = 6;

  // Outlives the recovery.
  struct Datapath {
    const Profile& profile;
    std::vector<Port>& ports;
    const std::map<int, Mempool>& mempools;
    const std::vector<std::unique_ptr<Worker>>& workers;
    InterfaceGuard* guard;  // may be none
    std::mutex& reading;    // held by who reads the ports
    bool quiet;             // what PMDs write to stderr is not for the user
  };
  PortRecovery(const Datapath& datapath, FaultLedger* ledger);

  void Look(Clock::time_point now);

 private:
  struct State {
    enum class Step { kThere, kLeaving, kAway, kReturning } step = Step::kThere;
    Worker::Detour detour;
    int tries = 0;
    Clock::time_point next_try;
    std::string refusal;  // the last one that was said
  };
  bool LookAtPort(size_t index, Clock::time_point now);
  void LeadTo(size_t index, std::vector<QueueEnd> ends);
  bool AllLed() const;
  bool Close(Port* port);
  void TryToReopen(size_t index, Clock::time_point now);

  const Datapath datapath_;
  FaultLedger* const ledger_;
  std::vector<State> states_;  // by port
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_RECOVERY_H_
