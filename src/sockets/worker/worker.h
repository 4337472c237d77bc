// SPDX-License-Identifier: BSD-3-Clause
// A worker serves queue q of every port on one thread. All engines use it. The worker receives a
// burst, decides it (src/engine), carries the effects out (egress.h), and waits in poll(2) when no
// queue has a frame. A worker writes no shared data. The control thread reads the worker's counters
// and gives it tasks to run between two bursts.

#ifndef TWINPATH_SOCKETS_WORKER_WORKER_H_
#define TWINPATH_SOCKETS_WORKER_WORKER_H_

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/engine/burst.h"
#include "src/kernel/clock.h"
#include "src/kernel/file_descriptor.h"
#include "src/sockets/worker/egress.h"
#include "src/sockets/worker/queue.h"

namespace twinpath {

class SocketWorker {
 public:
  // `clock`: the time that rules see, in nanoseconds; null: CLOCK_MONOTONIC.
  static absl::StatusOr<std::unique_ptr<SocketWorker>> Create(
      std::vector<std::unique_ptr<SocketQueue>> queues, const uint64_t* clock = nullptr);
  ~SocketWorker();
  SocketWorker(const SocketWorker&) = delete;
  SocketWorker& operator=(const SocketWorker&) = delete;

  // Starts the thread, which is called "tp-worker-N".
  void Start(uint32_t number);
  // Lets no more frames come in, waits until the worker has served those that had, and joins the
  // thread. A second call does nothing.
  void Stop();

  // Serves every queue once; returns the frames that were received. The worker's thread, or before
  // Start any other.
  uint32_t Turn();

  // Runs `task` between two bursts of the worker, and returns when that is done. While no thread
  // runs, on the calling thread. One caller at a time.
  void Do(const std::function<void()>& task);

  const std::vector<std::unique_ptr<SocketQueue>>& queues() const { return queues_; }
  uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  // What became of the first frames of the last burst. The worker's thread.
  const tp_effects* effects() const { return burst_.effects; }
  const tp_delivery* deliveries() const { return deliveries_; }
  // Reads the descriptors of the queues' RX ends again. For a task that changes them.
  void ReadDescriptors();

 private:
  SocketWorker(std::vector<std::unique_ptr<SocketQueue>> queues, const uint64_t* clock)
      : queues_(std::move(queues)), given_clock_(clock) {}
  void Run();
  void Drain();
  bool Wait(int milliseconds);
  void RunTask();
  uint32_t Serve(SocketQueue* queue);

  std::vector<std::unique_ptr<SocketQueue>> queues_;
  const uint64_t* const given_clock_;
  NanosecondClock clock_;
  FileDescriptor wake_;         // an eventfd
  std::vector<pollfd> polled_;  // wake_, then the queues' RX ends; worker: rw
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> turns_ = 0;
  std::atomic<bool> has_task_ = false;
  std::mutex mutex_;
  std::condition_variable done_;
  const std::function<void()>* task_ = nullptr;  // guarded by mutex_
  bool running_ = false;                         // guarded by mutex_
  std::thread thread_;

  SocketFrame frames_[kMaxBurst];  // of one burst
  tp_delivery deliveries_[kMaxBurst] = {};
  Burst burst_;
  SocketEgress egress_;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_WORKER_WORKER_H_
