// SPDX-License-Identifier: BSD-3-Clause
// Where frames come from and go to while a port's device is away: nothing comes, nothing is taken,
// and what is refused is counted as tx_full like anything else that a TX queue does not take.
// Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
#define TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_

#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

// Any number of workers may use it. It takes the last of ethdev's numbers, which EAL gives away
// last; an error where EAL has done so.
absl::StatusOr<QueueEnd> MakeNullEndpoint();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_NULL_ENDPOINT_H_
