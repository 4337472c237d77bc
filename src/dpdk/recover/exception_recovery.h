// SPDX-License-Identifier: BSD-3-Clause
// Watches the interfaces of exception ports, and makes one again that somebody deleted or moved to
// another network namespace: as PortRecovery does for ports. Meanwhile what the policy passes is
// counted as tx_full. Control thread.

#ifndef TWINPATH_DPDK_RECOVER_EXCEPTION_RECOVERY_H_
#define TWINPATH_DPDK_RECOVER_EXCEPTION_RECOVERY_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "src/dpdk/port/exception_port.h"
#include "src/dpdk/recover/port_recovery.h"
#include "src/telemetry/faults.h"

namespace twinpath {

class ExceptionRecovery {
 public:
  using Clock = FaultLedger::Clock;
  // An interface that cannot be made is tried again after 1, 2, 4, ... seconds, at most so many.
  static constexpr std::chrono::seconds kLongestPause{32};

  // `exceptions`: one for each port, or none. Both outlive the recovery.
  ExceptionRecovery(const PortRecovery::Workers& datapath,
                    std::vector<std::optional<ExceptionPort>>* exceptions, FaultLedger* ledger);

  // Takes every exception port at most one step further. To be called a few times a second.
  void Look(Clock::time_point now);

 private:
  struct State {
    enum class Step { kPresent, kLeaving, kAway, kReturning } step = Step::kPresent;
    Rewire rewire;
    Clock::time_point next_try;
    std::chrono::seconds pause{1};
    std::string refusal;  // the last one that was reported
  };
  void LookAt(size_t port, Clock::time_point now);
  void LookAtInterface(size_t port, Clock::time_point now);
  void RewireWorkers(size_t port, const std::optional<QueueEnd>& null_endpoint);
  bool AllRewired(size_t port) const;
  // Both false where a reader holds the lock: the caller tries again at the next look.
  bool Close(size_t port);
  bool TryToReopen(size_t port, Clock::time_point now);

  const PortRecovery::Workers datapath_;
  std::vector<std::optional<ExceptionPort>>& exceptions_;
  FaultLedger* const ledger_;
  std::vector<State> states_;  // by port
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_EXCEPTION_RECOVERY_H_
