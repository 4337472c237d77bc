// SPDX-License-Identifier: BSD-3-Clause
// How a worker that may sleep waits while its queues are empty: until one of them has a frame where
// their PMDs can tell (RX interrupts: the DPDK programmer's guide, "Device event notification"; or,
// as the AF_XDP PMD has none, its sockets, which poll(2) tells of), else by naps. Made by the
// control thread; used by one worker.

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
  std::vector<int> sockets;  // AF_XDP: readable when frames may be there; the PMD's
};

class IdleWait {
 public:
  // A wait is bounded, so that whoever waits for the worker (a reload, the end, the watchdog) need
  // not wake it.
  static constexpr std::chrono::milliseconds kLongestWait{10};
  // Where some queue cannot tell: naps get longer up to here while nothing comes.
  static constexpr std::chrono::microseconds kShortestNap{10}, kLongestNap{250};
  // Without a frame for so long a worker stops polling.
  static constexpr std::chrono::microseconds kPolling{50};

  // The queues' ports were started with EthdevConfig::interrupts, and outlive it.
  static absl::StatusOr<std::unique_ptr<IdleWait>> Create(const std::vector<WakeSource>& sources);
  ~IdleWait();
  IdleWait(const IdleWait&) = delete;
  IdleWait& operator=(const IdleWait&) = delete;

  // Whether any frame ends a wait. False: the worker naps.
  bool wakes() const { return no_wakeup_.empty(); }
  // The queues that cannot tell.
  const std::vector<QueueEnd>& no_wakeup() const { return no_wakeup_; }

  // From now on the worker reads `source`, too. The worker's lcore.
  void Add(const WakeSource& source);
  // From now on it reads no queue of `ethdev`, which is open still. The worker's lcore.
  void Leave(uint16_t ethdev);

  // To be called first by the thread that waits.
  void Begin();
  // From Arm to Disarm a frame that comes ends Wait. What came before Arm may not: the queues are
  // to be read once between Arm and Wait.
  void Arm();
  void Wait();
  void Disarm();
  // A frame came: the next nap is a short one.
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
