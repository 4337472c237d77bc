// SPDX-License-Identifier: BSD-3-Clause
// Wakes net_tap's RX queues. The PMD reads an interface only after a signal, which the kernel sends
// when it puts a frame into the interface's queue. If the PMD stops because no mbuf is free, the
// queue fills up; the kernel then drops frames before they reach the queue, and sends no further
// signal. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
#define TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_

namespace twinpath {

// Call it when mbufs are free again. Does nothing if there is no TAP device.
void WakeTaps();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
