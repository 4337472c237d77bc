// SPDX-License-Identifier: BSD-3-Clause
// What is done about a port whose kernel interface vanishes while the workers run, or loses the XDP
// program that brings the port its frames: they are led away from it, one after the other between
// two of their bursts, its device is let go of, and when an interface of its name is there again,
// and carries nobody else's program, the port is opened anew and the workers are led back.
// Each port by itself: a worker that stands still holds up those that it still is to be led from or
// to, and no other. Nothing here waits for a worker, or for who reads the ports. Control thread.

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
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/worker/worker.h"
#include "src/telemetry/faults.h"

namespace twinpath {

class PortRecovery {
 public:
  using Clock = FaultLedger::Clock;
  // A device that is there and does not start is tried again after a second, then two, four, ...:
  // so often. Each try may cost mbufs that the AF_XDP PMD does not give back. One that cannot be
  // taken, by what can be seen of it, costs nothing: it is looked at as long as that is so.
  static constexpr int kTries = 6;
  // How often is looked whether an interface cannot be taken any more, and for the XDP programs of
  // those that are in use: some system calls a port.
  static constexpr std::chrono::seconds kProgramInterval{1};
  // The kernel lets go of an AF_XDP socket's queue some time after the socket is closed.
  static constexpr std::chrono::milliseconds kAfterClose{200};

  // Outlives the recovery.
  struct Workers {
    const Profile& profile;
    std::vector<Port>& ports;
    const std::map<int, Mempool>& mempools;
    const std::vector<std::unique_ptr<Worker>>& workers;
    InterfaceGuard* guard;  // may be none
    std::mutex& reading;    // held by who reads the ports
    bool quiet;             // what PMDs write to stderr is not for the user
  };
  PortRecovery(const Workers& datapath, FaultLedger* ledger);

  // Looks at every port and takes each of them as far as it can get by now, a step at the most. To
  // be called a few times a second. A port that is opened anew takes some milliseconds of it.
  void Look(Clock::time_point now);

 private:
  struct State {
    enum class Step { kThere, kLeaving, kAway, kReturning } step = Step::kThere;
    Worker::Detour detour;
    int tries = 0;
    Clock::time_point next_try, next_program_look;
    std::string refusal;  // the last one that was said
  };
  void LookAtPort(size_t index, Clock::time_point now);
  bool LookAtDevice(size_t index, Clock::time_point now);
  void BeginGone(const Port& port, Clock::time_point now);
  void Lead(size_t index, const std::optional<QueueEnd>& nowhere);
  bool AllLed(size_t index) const;
  bool Close(Port* port);
  void TryToReopen(size_t index, Clock::time_point now);
  void SayRefusal(State* state, const absl::Status& status, const char* more);

  const Workers datapath_;
  FaultLedger* const ledger_;
  std::vector<State> states_;  // by port
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_RECOVER_PORT_RECOVERY_H_
