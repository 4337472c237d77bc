// SPDX-License-Identifier: BSD-3-Clause
// Finishes the transport checksums of frames that leave: src/policy/egress/checksum.h over mbufs.
// Runs on the worker's lcore.

#ifndef TWINPATH_DPDK_WORKER_CHECKSUMS_H_
#define TWINPATH_DPDK_WORKER_CHECKSUMS_H_

#include <rte_mbuf.h>

#include <cstdint>

namespace twinpath {

// Finishes those of `frames` that are unfinished. Returns how many frames that changed.
uint32_t CompleteChecksums(rte_mbuf* const* frames, uint32_t count);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_CHECKSUMS_H_
