// SPDX-License-Identifier: BSD-3-Clause
// The AF_XDP sockets of this process. The PMD keeps them to itself and does not tell whether the
// kernel gave zero-copy, nor what it dropped; the sockets do. Control thread.

#ifndef TWINPATH_DPDK_XSK_SOCKETS_H_
#define TWINPATH_DPDK_XSK_SOCKETS_H_

#include <cstdint>
#include <vector>

namespace twinpath {

// Their file descriptors, in order.
std::vector<int> XskSockets();

bool XskIsZeroCopy(int fd);

// XDP_STATISTICS: frames the kernel dropped, by cause.
struct XskDrops {
  uint64_t rx_dropped = 0;
  uint64_t rx_ring_full = 0;
  uint64_t rx_fill_ring_empty = 0;
  uint64_t tx_invalid = 0;
};
XskDrops ReadXskDrops(int fd);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_XSK_SOCKETS_H_
