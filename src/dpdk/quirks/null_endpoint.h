// SPDX-License-Identifier: BSD-3-Clause
// The queue end of a port without a device. It receives nothing and refuses every frame, so that
// the frame counts as tx_full. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
#define TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_

#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

// Any number of workers may use the same end. It occupies the last ethdev number, which EAL assigns
// last. ResourceExhausted if EAL has assigned that number.
absl::StatusOr<QueueEnd> MakeNullEndpoint();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
