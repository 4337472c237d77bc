// SPDX-License-Identifier: BSD-3-Clause
// The AF_XDP and AF_PACKET sockets of this process. The PMDs keep them to themselves and do not
// tell whether the kernel gave zero-copy, what it dropped, or that it took the interface away; the
// sockets do. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_
#define TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_

#include <cstdint>
#include <vector>

namespace twinpath {

// Their file descriptors, in order.
std::vector<int> XskSockets();

// Those of the AF_PACKET sockets.
std::vector<int> PacketSockets();
// False: the interface that the AF_PACKET socket was bound to is no more; it hears of none that has
// its name or number since.
bool PacketSocketBound(int fd);

bool XskIsZeroCopy(int fd);
// False: the interface that the AF_XDP socket was bound to is no more, or was in another network
// namespace meanwhile, from where it may have come back as it was, its number and XDP program too.
bool XskBound(int fd);

// XDP_STATISTICS: frames the kernel dropped, by cause.
struct XskDrops {
  uint64_t rx_dropped = 0;
  uint64_t rx_ring_full = 0;
  uint64_t rx_fill_ring_empty = 0;
  uint64_t tx_invalid = 0;
};
XskDrops ReadXskDrops(int fd);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_XSK_SOCKETS_H_
