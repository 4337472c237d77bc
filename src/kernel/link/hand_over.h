// SPDX-License-Identifier: BSD-3-Clause
// Lets one interface receive, in the kernel, what arrives at another one, as if it had arrived
// there first: the addresses, routes, neighbors, VLANs and bridge of the receiver all work as ever.
// A program of the tc classifier does that, which ends with the interface that it is on. Any
// thread.

#ifndef TWINPATH_KERNEL_LINK_HAND_OVER_H_
#define TWINPATH_KERNEL_LINK_HAND_OVER_H_

#include <cstdint>

#include "absl/status/status.h"

namespace twinpath {

// Lets the interface with number `receiver` receive what arrives at the interface `from`, in place
// of an earlier receiver. `from` itself then gets copies of ARP, and of neighbor solicitations and
// advertisements, and nothing else: so addresses and routes that somebody gives to `from` work,
// too. `from` must be ours, because its ingress filters are replaced. The error says what the
// kernel lacks.
absl::Status HandOver(uint32_t from, uint32_t receiver);

// Ends that: `from` receives for itself.
void EndHandOver(uint32_t from);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_HAND_OVER_H_
