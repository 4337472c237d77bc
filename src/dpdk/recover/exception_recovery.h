// SPDX-License-Identifier: BSD-3-Clause
// Recreates the interface of an exception port after somebody deleted it or moved it to another
// network namespace, like PortRecovery for ports. Meanwhile passed packets count as tx_full.
// Control thread.

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
  // If the interface cannot be created, tries again after 1, 2, 4, ... seconds, at most this long.
  static constexpr std::chrono::seconds kLongestPause{32};

  // `exceptions` has one entry for each port. It and `ledger` must outlive this object.
  ExceptionRecovery(const PortRecovery::Workers& datapath,
                    std::vector<std::optional<ExceptionPort>>* exceptions, FaultLedger* ledger);

  // Advances every exception port by at most one step. Call it a few times a second.
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
  // Both return false if a reader holds the lock: the caller tries again at the next look.
  bool Close(size_t port);
  bool TryToReopen(size_t port, Clock::time_point now);

  const PortRecovery::Workers datapath_;
  std::vector<std::optional<ExceptionPort>>& exceptions_;
  FaultLedger* const ledger_;
  std::vector<State> states_;  // by port
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_EXCEPTION_RECOVERY_H_
