// SPDX-License-Identifier: BSD-3-Clause
// Waits by rte_epoll_wait or nanosleep(2). Create and the destructor: control thread; the rest: the
// worker's lcore.

#include "src/dpdk/idle_wait.h"

#include <rte_ethdev.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace twinpath {

absl::StatusOr<std::unique_ptr<IdleWait>> IdleWait::Create(const std::vector<WakeSource>& sources) {
  std::unique_ptr<IdleWait> wait(new IdleWait);
  wait->epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  if (wait->epoll_.get() < 0) return absl::ErrnoToStatus(errno, "epoll_create1");
  for (const WakeSource& source : sources)
    if (absl::Status added = wait->Add(source); !added.ok()) return added;
  return wait;
}

absl::Status IdleWait::Add(const WakeSource& source) {
  if (source.sockets.empty()) {
    if (!AddInterrupt(source.end)) deaf_.push_back(source.end);
    return absl::OkStatus();
  }
  for (const int socket : source.sockets) {
    // Where one ethdev has several queues, nothing tells which socket is whose: each of them wakes
    // the workers of all.
    if (std::find(sockets_.begin(), sockets_.end(), socket) != sockets_.end()) continue;
    sockets_.push_back(socket);
    if (!AddSocket(socket)) return absl::ErrnoToStatus(errno, "rte_epoll_ctl of an AF_XDP socket");
  }
  return absl::OkStatus();
}

bool IdleWait::AddSocket(int socket) {
  rte_epoll_event& event = events_.emplace_back();
  event.epdata.event = EPOLLIN;
  return rte_epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0;
}

bool IdleWait::ListenTo(const std::vector<int>& sockets) {
  return std::all_of(sockets.begin(), sockets.end(), [this](int fd) { return AddSocket(fd); });
}

// False where the PMD has no RX interrupt for the queue.
bool IdleWait::AddInterrupt(const QueueEnd& end) {
  const int enabled = rte_eth_dev_rx_intr_enable(end.port, end.queue);
  // net_tap's descriptor tells by itself, and there is nothing to enable.
  if (enabled != 0 && enabled != -ENOTSUP) return false;
  rte_eth_dev_rx_intr_disable(end.port, end.queue);
  if (rte_eth_dev_rx_intr_ctl_q(end.port, end.queue, epoll_.get(), RTE_INTR_EVENT_ADD, nullptr) !=
      0)
    return false;
  interrupts_.push_back(end);
  return true;
}

IdleWait::~IdleWait() {
  for (const QueueEnd& end : interrupts_)
    rte_eth_dev_rx_intr_ctl_q(end.port, end.queue, epoll_.get(), RTE_INTR_EVENT_DEL, nullptr);
}

void IdleWait::Begin() {
  // The kernel would make naps 50 us longer than asked for (prctl(2)).
  prctl(PR_SET_TIMERSLACK, 1);
}

void IdleWait::Arm() {
  if (!wakes()) return;
  for (const QueueEnd& end : interrupts_) rte_eth_dev_rx_intr_enable(end.port, end.queue);
}

void IdleWait::Wait() {
  if (wakes()) {
    rte_epoll_event event;
    rte_epoll_wait(epoll_.get(), &event, 1, static_cast<int>(kLongestWait.count()));
    return;
  }
  const timespec nap = {.tv_sec = 0, .tv_nsec = nap_.count()};
  nanosleep(&nap, nullptr);
  nap_ = std::min<std::chrono::nanoseconds>(2 * nap_, kLongestNap);
}

void IdleWait::Disarm() {
  if (!wakes()) return;
  for (const QueueEnd& end : interrupts_) rte_eth_dev_rx_intr_disable(end.port, end.queue);
}

}  // namespace twinpath
