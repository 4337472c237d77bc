// SPDX-License-Identifier: BSD-3-Clause
// The AF_XDP and AF_PACKET sockets of this process. The PMDs do not report whether the kernel
// granted zero-copy, what it dropped, or that the interface disappeared, but their sockets do.
// Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_
#define TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_

#include <cstdint>
#include <vector>

namespace twinpath {

// The file descriptors of the AF_XDP sockets, in order.
std::vector<int> XskSockets();

// The file descriptors of the AF_PACKET sockets, in order.
std::vector<int> PacketSockets();
// False: the interface that the AF_PACKET socket was bound to does not exist any more. The socket
// receives nothing from a later interface of the same name or index.
bool PacketSocketBound(int fd);

bool XskIsZeroCopy(int fd);
// False: the interface that the AF_XDP socket was bound to does not exist any more, or was moved to
// another network namespace. The interface may have come back with the same index and XDP program.
bool XskBound(int fd);

// XDP_STATISTICS: frames that the kernel dropped, by cause.
struct XskDrops {
  uint64_t rx_dropped = 0;
  uint64_t rx_ring_full = 0;
  uint64_t rx_fill_ring_empty = 0;
  uint64_t tx_invalid = 0;
};
XskDrops ReadXskDrops(int fd);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_
