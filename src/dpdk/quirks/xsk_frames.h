// SPDX-License-Identifier: BSD-3-Clause
// The mbufs that lie in an AF_XDP socket's four rings. The AF_XDP PMD forgets them when it closes a
// queue: a port that is closed while the program goes on would take two thousand of the mempool's
// with it. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_
#define TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_

#include <rte_mempool.h>

#include <cstdint>
#include <vector>

struct rte_mbuf;

namespace twinpath {

struct XskFrames {
  std::vector<rte_mbuf*> mbufs;  // in all rings
  uint64_t unsent = 0;           // of those, in the TX ring: the kernel has not taken them
  uint64_t unread = 0;           // in the RX ring
};

// What lies in the rings of the PMD's socket `fd`, whose umem is `pool`, while no worker uses it
// and its interface is gone. Empty where the rings are not found. The mbufs are to be freed once
// the PMD has closed the queue.
XskFrames FramesIn(int fd, const rte_mempool* pool);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_
