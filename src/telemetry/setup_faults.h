// SPDX-License-Identifier: BSD-3-Clause
// Reports changes to a port's kernel interface that a running path cannot follow, as faults of the
// port. Every path uses it, on its watching thread.

#ifndef TWINPATH_TELEMETRY_SETUP_FAULTS_H_
#define TWINPATH_TELEMETRY_SETUP_FAULTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "src/kernel/link/classifier_program.h"
#include "src/kernel/link/link_setup.h"
#include "src/telemetry/faults.h"

namespace twinpath {

// How a path uses the interface.
struct LinkUse {
  // What happens to frames on RX queues that the path does not serve ("go to the kernel, without
  // the policy"). Empty: the path serves all queues.
  std::string unserved;
  bool behind_gro = false;  // the path sees frames after GRO
};

// Sets or clears each fault of `subject` ("port lan"). `opened` is the interface as it was when the
// port was opened, `found` is the interface now.
void SetSetupFaults(const std::string& subject, const LinkSetup& opened, const LinkSetup& found,
                    const LinkUse& use, FaultLedger* ledger, FaultLedger::Clock::time_point now);

// Sets or clears the fault too_long of `subject`. `longer`: since the last call, frames were longer
// than the MTU of `interface` (in bytes), and were dropped.
void SetTooLong(const std::string& subject, const std::string& interface, uint32_t mtu, bool longer,
                FaultLedger* ledger, FaultLedger::Clock::time_point now);

// Sets or clears the fault preceded of `subject`. `other`: a program that the kernel's classifier
// runs before Twinpath's on `interface`; `means`: what is wrong if that program ends the chain.
void SetPreceded(const std::string& subject, const std::string& interface,
                 const std::optional<ClassifierProgram>& other, const std::string& means,
                 FaultLedger* ledger, FaultLedger::Clock::time_point now);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SETUP_FAULTS_H_
