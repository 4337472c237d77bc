// SPDX-License-Identifier: BSD-3-Clause
// Finishes the transport checksums of frames before they are sent: src/policy/egress/checksum.h for
// mbufs. Runs on the worker's lcore.

#ifndef TWINPATH_DPDK_WORKER_CHECKSUMS_H_
#define TWINPATH_DPDK_WORKER_CHECKSUMS_H_

#include <rte_mbuf.h>

#include <cstdint>

namespace twinpath {

// Finishes the unfinished checksums among `frames`. Returns the number of frames that changed.
uint32_t CompleteChecksums(rte_mbuf* const* frames, uint32_t count);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_CHECKSUMS_H_
