// SPDX-License-Identifier: BSD-3-Clause
// The loop.

#include "src/sockets/worker/worker.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "src/policy/count.h"

namespace twinpath {
namespace {

constexpr int kLongestWaitMs = 100;
// A ring hands frames over some milliseconds after they came.
constexpr int kDrainMs = 10, kLongestDrain = 1000;

}  // namespace

absl::StatusOr<std::unique_ptr<SocketWorker>> SocketWorker::Create(
    std::vector<std::unique_ptr<SocketQueue>> queues, const uint64_t* clock) {
  std::unique_ptr<SocketWorker> worker(new SocketWorker(std::move(queues), clock));
  worker->wake_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (worker->wake_.get() < 0) return absl::ErrnoToStatus(errno, "eventfd");
  worker->ReadDescriptors();
  return worker;
}

SocketWorker::~SocketWorker() { Stop(); }

void SocketWorker::ReadDescriptors() {
  polled_ = {{wake_.get(), POLLIN, 0}};
  for (const auto& queue : queues_)
    polled_.push_back({queue->rx != nullptr ? queue->rx->fd() : -1, POLLIN, 0});
}

void SocketWorker::Start(uint32_t number) {
  running_ = true;
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), ("tp-worker-" + std::to_string(number)).c_str());
}

void SocketWorker::Stop() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void SocketWorker::Run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    const uint32_t received = Turn();
    if (has_task_.load(std::memory_order_acquire)) RunTask();
    if (received == 0) Wait(kLongestWaitMs);
    clock_.Correct();
  }
  Drain();
  std::lock_guard<std::mutex> lock(mutex_);
  running_ = false;
  if (task_ != nullptr) (*std::exchange(task_, nullptr))();
  done_.notify_all();
}

// Serves what came in before the end.
void SocketWorker::Drain() {
  for (auto& queue : queues_)
    if (queue->rx != nullptr) queue->rx->End();
  for (int turns = 0; turns < kLongestDrain; turns++)
    if (Turn() == 0 && !Wait(kDrainMs)) break;
}

uint32_t SocketWorker::Turn() {
  uint32_t received = 0;
  for (auto& queue : queues_)
    if (queue->rx != nullptr) received += Serve(queue.get());
  turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return received;
}

uint32_t SocketWorker::Serve(SocketQueue* queue) {
  const uint32_t count = queue->rx->Receive(frames_, kMaxBurst);
  if (count == 0) return 0;
  for (uint32_t i = 0; i < count; i++)
    burst_.Set(i, frames_[i].data, frames_[i].length, frames_[i].frame_length);
  QueuePlan* plan = &queue->plan;
  if (plan->timed) {
    plan->datapath.now = given_clock_ != nullptr ? *given_clock_ : CoarseNow();
    plan->datapath.now_ns = given_clock_ != nullptr ? *given_clock_ : clock_.Now();
  }
  const uint64_t bytes = Decide(plan, count, &burst_);
  tp_count_add(&queue->counters.rx, count, bytes);
  egress_.CarryOut(queue, frames_, burst_, count, deliveries_);
  __atomic_store_n(&queue->cpu, sched_getcpu(), __ATOMIC_RELAXED);
  return count;
}

// Returns whether a queue may have frames.
bool SocketWorker::Wait(int milliseconds) {
  if (poll(polled_.data(), polled_.size(), milliseconds) <= 0) return false;
  if (polled_[0].revents != 0) {
    eventfd_t count;
    eventfd_read(wake_.get(), &count);
  }
  bool any = false;
  for (size_t i = 1; i < polled_.size(); i++) {
    any = any || (polled_[i].revents & POLLIN) != 0;
    if ((polled_[i].revents & POLLERR) == 0) continue;
    // The interface went down, or away. Reading the error clears it; the control thread watches.
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(polled_[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  return any;
}

void SocketWorker::RunTask() {
  std::lock_guard<std::mutex> lock(mutex_);
  has_task_.store(false, std::memory_order_relaxed);
  if (task_ != nullptr) (*std::exchange(task_, nullptr))();
  done_.notify_all();
}

void SocketWorker::Do(const std::function<void()>& task) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!running_) return task();
  task_ = &task;
  has_task_.store(true, std::memory_order_release);
  eventfd_write(wake_.get(), 1);
  done_.wait(lock, [this] { return task_ == nullptr; });
}

}  // namespace twinpath
