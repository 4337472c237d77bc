// SPDX-License-Identifier: BSD-3-Clause
// How a worker that may sleep waits while its queues are empty. If the PMDs of all its queues can
// wake it, the worker sleeps until a frame arrives. A PMD wakes it by RX interrupts (DPDK
// programmer's guide, "Device event notification"); the AF_XDP PMD has none, but its sockets become
// readable. Otherwise the worker takes short naps. Created by the control thread; used by one
// worker.

#ifndef TWINPATH_DPDK_WORKER_IDLE_WAIT_H_
#define TWINPATH_DPDK_WORKER_IDLE_WAIT_H_

#include <rte_interrupts.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

// An RX queue that the worker reads.
struct WakeSource {
  QueueEnd end;
  std::vector<int> sockets;  // AF_XDP: owned by the PMD; readable when frames may have arrived
};

class IdleWait {
 public:
  // The longest wait. It is bounded so that threads that wait for the worker (a reload, the end of
  // the run, the watchdog) need not wake it.
  static constexpr std::chrono::milliseconds kLongestWait{10};
  // If some queue cannot wake the worker, naps grow from the shortest to the longest while nothing
  // arrives.
  static constexpr std::chrono::microseconds kShortestNap{10}, kLongestNap{250};
  // A worker without a frame for this long stops polling.
  static constexpr std::chrono::microseconds kPolling{50};

  // The queues' ports must have been started with EthdevConfig::interrupts, and must outlive this
  // object.
  static absl::StatusOr<std::unique_ptr<IdleWait>> Create(const std::vector<WakeSource>& sources);
  ~IdleWait();
  IdleWait(const IdleWait&) = delete;
  IdleWait& operator=(const IdleWait&) = delete;

  // Whether a frame on any queue ends a wait. False: the worker naps.
  bool wakes() const { return no_wakeup_.empty(); }
  // The queues that cannot wake the worker.
  const std::vector<QueueEnd>& no_wakeup() const { return no_wakeup_; }

  // Adds a queue that the worker reads from now on. The worker's lcore.
  void Add(const WakeSource& source);
  // Removes the queues of `ethdev`, which is still open. The worker's lcore.
  void Leave(uint16_t ethdev);

  // Called once by the waiting thread, before its first wait.
  void Begin();
  // Between Arm and Disarm, an arriving frame ends Wait. A frame that arrived before Arm may not
  // end it, so the caller must read the queues once between Arm and Wait.
  void Arm();
  void Wait();
  void Disarm();
  // Called when a frame arrived: the next nap is short.
  void Reset() { nap_ = kShortestNap; }

 private:
  struct Socket {
    uint16_t ethdev;
    int fd;
    rte_epoll_event event;  // epoll_ points to it
  };

  IdleWait() = default;
  bool AddSocket(uint16_t ethdev, int socket);
  bool AddInterrupt(const QueueEnd& end);

  FileDescriptor epoll_;
  std::list<Socket> sockets_;
  std::vector<QueueEnd> interrupts_, no_wakeup_;
  std::chrono::nanoseconds nap_ = kShortestNap;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_IDLE_WAIT_H_
