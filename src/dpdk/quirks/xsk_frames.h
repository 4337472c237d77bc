// SPDX-License-Identifier: BSD-3-Clause
// Finds the mbufs in the four rings of an AF_XDP socket. The AF_XDP PMD leaks them when it closes a
// queue, so closing a port during the run would cost the mempool two thousand mbufs. Control
// thread.

#ifndef TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_
#define TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_

#include <rte_mempool.h>

#include <cstdint>
#include <vector>

struct rte_mbuf;

namespace twinpath {

struct XskFrames {
  std::vector<rte_mbuf*> mbufs;  // in all rings
  uint64_t unsent = 0;           // of these, in the TX ring: the kernel has not sent them
  uint64_t unread = 0;           // of these, in the RX ring
};

// Returns the mbufs in the rings of the PMD's socket `fd`, whose umem is `pool`. Call it when no
// worker uses the socket and its interface does not exist any more. Empty if the rings are not
// found. The caller frees the mbufs after the PMD has closed the queue.
XskFrames FramesIn(int fd, const rte_mempool* pool);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_XSK_FRAMES_H_
