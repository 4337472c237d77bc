// SPDX-License-Identifier: BSD-3-Clause
// The end of a port whose device is away: nothing is received, and every frame to be sent is
// refused, so that it counts as tx_full. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
#define TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_

#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

// Any number of workers may use it. It uses the last ethdev number, which EAL assigns last; an
// error where EAL has assigned it.
absl::StatusOr<QueueEnd> MakeNullEndpoint();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
