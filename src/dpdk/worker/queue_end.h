// SPDX-License-Identifier: BSD-3-Clause
// Where a worker's frames come from and go to: one queue of one ethdev, and the queues that one
// logical queue of a port uses. Plain values; no thread.

#ifndef TWINPATH_DPDK_WORKER_QUEUE_END_H_
#define TWINPATH_DPDK_WORKER_QUEUE_END_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace twinpath {

inline constexpr uint32_t kAnyLength = UINT32_MAX;

// One queue of one ethdev.
struct QueueEnd {
  uint16_t ethdev = 0;
  uint16_t queue = 0;
  // TX: accepts frames of several mbufs up to this many bytes; 0: none, kAnyLength: all.
  uint32_t longest_chain = kAnyLength;
};

// One logical queue of one port, as its worker is given it.
struct QueueSpec {
  uint32_t port = 0;   // index into the policy's ports
  uint32_t queue = 0;  // logical
  QueueEnd rx;
  std::vector<QueueEnd> tx;           // queue `queue` of each of the policy's ports, in their order
  std::optional<QueueEnd> to_kernel;  // for frames that pass; none: they are counted and freed
  std::optional<QueueEnd> from_kernel;  // read by this queue's worker alone
  // Finishes unfinished checksums of the frames that it receives: before they are sent, and before
  // they are passed.
  bool completes = false, completes_to_kernel = false;
};

// New queue ends of a port or of its exception port, after the device was lost or reopened. Owned
// by the control thread, which keeps it until no worker is rewiring any more.
struct Rewire {
  uint32_t port = 0;
  bool exception = false;      // of the exception port
  std::vector<QueueEnd> ends;  // by logical queue
  // For a worker that may sleep: the AF_XDP sockets that bring the frames (none: other drivers), by
  // logical queue; empty where no frame will come.
  std::vector<std::vector<int>> sockets;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_QUEUE_END_H_
