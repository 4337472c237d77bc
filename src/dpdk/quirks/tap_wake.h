// SPDX-License-Identifier: BSD-3-Clause
// Wakes net_tap's RX queues. The PMD reads an interface only after a signal, which the kernel sends
// when it has put a frame into the interface's queue. When the PMD stops reading because no mbuf is
// free, the queue fills; later frames are dropped before they reach the queue, and no further
// signal arrives. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
#define TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_

namespace twinpath {

// To be called when mbufs are free again. Does nothing where there is no TAP device.
void WakeTaps();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
