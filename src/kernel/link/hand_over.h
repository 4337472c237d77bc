// SPDX-License-Identifier: BSD-3-Clause
// Redirects frames in the kernel: frames that arrive at one interface are received by another one,
// as if they had arrived there. So the addresses, routes, neighbors, VLANs and bridge of the
// receiver keep working. A tc classifier program does the redirect; it ends with its interface. Any
// thread.

#ifndef TWINPATH_KERNEL_LINK_HAND_OVER_H_
#define TWINPATH_KERNEL_LINK_HAND_OVER_H_

#include <cstdint>

#include "absl/status/status.h"

namespace twinpath {

// Lets the interface with index `receiver` receive the frames that arrive at interface `from`.
// Replaces an earlier receiver. `from` itself gets only copies of ARP, neighbor solicitations and
// advertisements, so that addresses and routes on `from` also work. `from` must be our own
// interface, because its ingress filters are replaced. The error says what the kernel lacks.
absl::Status HandOver(uint32_t from, uint32_t receiver);

// Ends the redirect: `from` receives its frames itself.
void EndHandOver(uint32_t from);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_HAND_OVER_H_
