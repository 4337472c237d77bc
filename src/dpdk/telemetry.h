// SPDX-License-Identifier: BSD-3-Clause
// Registers the twinpath commands with librte_telemetry, which serves them on its own threads.

#ifndef TWINPATH_DPDK_TELEMETRY_H_
#define TWINPATH_DPDK_TELEMETRY_H_

namespace twinpath {

class DpdkPath;

// Answers the commands of src/telemetry/json.h from `datapath` until StopTelemetry. EAL cannot
// unregister a command, so a process serves one datapath at a time.
void ServeTelemetry(const DpdkPath* datapath);
void StopTelemetry(const DpdkPath* datapath);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_TELEMETRY_H_
