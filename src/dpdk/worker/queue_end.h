// SPDX-License-Identifier: BSD-3-Clause
// The queues of ethdevs that a worker receives from and sends to. Plain values; no thread.

#ifndef TWINPATH_DPDK_WORKER_QUEUE_END_H_
#define TWINPATH_DPDK_WORKER_QUEUE_END_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace twinpath {

inline constexpr uint32_t kAnyLength = UINT32_MAX;

// The longest frames that a kernel interface sends for a port, in bytes, with and without a VLAN
// tag. Owned by the port. control: rw, worker: ro
struct FrameLimits {
  std::atomic<uint32_t> untagged = kAnyLength, tagged = kAnyLength;
};

// One queue of one ethdev.
struct QueueEnd {
  uint16_t ethdev = 0;
  uint16_t queue = 0;
  // TX: the longest frame of several mbufs that the queue accepts, in bytes. 0: none; kAnyLength:
  // all.
  uint32_t longest_chain = kAnyLength;
  // TX. Null: no kernel interface sends the frames, so none is too long.
  const FrameLimits* limits = nullptr;
};

// The set-up of one logical queue of one port.
struct QueueSpec {
  uint32_t port = 0;   // index into the policy's ports
  uint32_t queue = 0;  // logical
  QueueEnd rx;
  std::vector<QueueEnd> tx;           // queue `queue` of each of the policy's ports, in their order
  std::optional<QueueEnd> to_kernel;  // for passed frames; none: they are counted and freed
  std::optional<QueueEnd> from_kernel;  // read only by this queue's worker
  // Whether to finish unfinished checksums before frames are sent, and before they are passed.
  bool completes = false, completes_to_kernel = false;
};

// New queue ends of a port or of its exception port, after the device was lost or reopened. The
// control thread owns it and keeps it until no worker is rewiring any more.
struct Rewire {
  uint32_t port = 0;
  bool exception = false;      // true: these are the ends of its exception port
  std::vector<QueueEnd> ends;  // by logical queue
  // For a worker that may sleep, by logical queue: the AF_XDP sockets that receive the frames (none
  // for other drivers). An empty vector: no frame will arrive.
  std::vector<std::vector<int>> sockets;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_QUEUE_END_H_
