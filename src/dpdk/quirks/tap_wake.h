// SPDX-License-Identifier: BSD-3-Clause
// Wakes net_tap's RX queues. Its PMD reads an interface only after a signal that the kernel sends
// when it has put a frame into the interface's queue. Where the PMD stopped reading because it had
// no mbuf, that queue fills, what comes then is dropped before it is put there, and no signal comes
// ever again. Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
#define TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_

namespace twinpath {

// To be called when mbufs are there again. Nothing where there is no tap.
void WakeTaps();

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_TAP_WAKE_H_
