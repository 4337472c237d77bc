// SPDX-License-Identifier: BSD-3-Clause
// What somebody changes of a port's kernel interface while a path runs, and the path cannot follow:
// as faults of the port, the same on every path. The thread that watches.

#ifndef TWINPATH_TELEMETRY_SETUP_FAULTS_H_
#define TWINPATH_TELEMETRY_SETUP_FAULTS_H_

#include <string>

#include "src/kernel/link/link_setup.h"
#include "src/telemetry/faults.h"

namespace twinpath {

// How a path uses the interface.
struct LinkUse {
  // What becomes of frames of RX queues that the path does not serve ("go to the kernel, without
  // the policy"); empty: it serves all.
  std::string unserved;
  bool behind_gro = false;  // the path sees frames after GRO
};

// Sets each fault of `subject` ("port lan"): `opened` is the interface as it was when the port was
// opened, `found` as it is now.
void SetSetupFaults(const std::string& subject, const LinkSetup& opened, const LinkSetup& found,
                    const LinkUse& use, FaultLedger* ledger, FaultLedger::Clock::time_point now);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SETUP_FAULTS_H_
