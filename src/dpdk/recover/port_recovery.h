// SPDX-License-Identifier: BSD-3-Clause
// Recovers a port whose kernel interface disappears while the workers run, or loses the port's XDP
// program. Workers switch to a null endpoint between two bursts, and the device is closed. When an
// interface of the same name is back without a foreign XDP program, the port is reopened and the
// workers switch back. Ports are independent: a stalled worker delays only the ports that it has
// not switched yet. This class never waits for a worker or for a reader of the ports. Control
// thread.

#ifndef TWINPATH_DPDK_RECOVER_PORT_RECOVERY_H_
#define TWINPATH_DPDK_RECOVER_PORT_RECOVERY_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "src/config/profile/profile.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/worker/worker.h"
#include "src/telemetry/faults.h"

namespace twinpath {

class PortRecovery {
 public:
  using Clock = FaultLedger::Clock;
  // How often the recovery tries to start a device that exists, after 1, 2, 4, ... seconds. The
  // number is limited because each try may cost mbufs that the AF_XDP PMD does not return. Checks
  // that rule out a device before a try cost nothing, and are repeated without limit.
  static constexpr int kTries = 6;
  // How often these checks, and the XDP programs of interfaces in use, are repeated. It costs some
  // system calls per port.
  static constexpr std::chrono::seconds kProgramInterval{1};
  // The pause before the first try. The kernel frees the queue of an AF_XDP socket some time after
  // the socket is closed.
  static constexpr std::chrono::milliseconds kAfterClose{200};

  // The referenced objects must outlive the recovery.
  struct Workers {
    const Profile& profile;
    std::vector<Port>& ports;
    const std::map<int, Mempool>& mempools;
    const std::vector<std::unique_ptr<Worker>>& workers;
    InterfaceGuard* guard;  // may be null
    std::mutex& reading;    // held by readers of the ports
    bool quiet;             // hide what PMDs write to stderr
  };
  PortRecovery(const Workers& datapath, FaultLedger* ledger);

  // Advances every port by at most one step. Call it a few times a second. Reopening a port takes
  // some milliseconds.
  void Look(Clock::time_point now);

 private:
  struct State {
    enum class Step { kPresent, kLeaving, kAway, kReturning } step = Step::kPresent;
    Rewire rewire;
    int tries = 0;
    Clock::time_point next_try, next_program_look;
    std::string refusal;  // the last one that was reported
  };
  void LookAtPort(size_t index, Clock::time_point now);
  bool LookAtDevice(size_t index, Clock::time_point now);
  void BeginMissing(const Port& port, Clock::time_point now);
  void RewireWorkers(size_t index, const std::optional<QueueEnd>& null_endpoint);
  bool AllRewired(size_t index) const;
  bool Close(Port* port);
  void TryToReopen(size_t index, Clock::time_point now);
  void ReportRefusal(State* state, const absl::Status& status, const char* more);

  const Workers datapath_;
  FaultLedger* const ledger_;
  std::vector<State> states_;  // by port
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_PORT_RECOVERY_H_
