// SPDX-License-Identifier: BSD-3-Clause
// Waits with rte_epoll_wait or nanosleep(2). Create and the destructor run on the control thread,
// the rest on the worker's lcore.

#include "src/dpdk/worker/idle_wait.h"

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
  for (const WakeSource& source : sources) wait->Add(source);
  return wait;
}

void IdleWait::Add(const WakeSource& source) {
  const bool wakes =
      source.sockets.empty()
          ? AddInterrupt(source.end)
          : std::all_of(source.sockets.begin(), source.sockets.end(),
                        [&](int socket) { return AddSocket(source.end.ethdev, socket); });
  if (!wakes) no_wakeup_.push_back(source.end);
}

void IdleWait::Leave(uint16_t ethdev) {
  const auto of_ethdev = [ethdev](const auto& end) { return end.ethdev == ethdev; };
  for (const QueueEnd& end : interrupts_)
    if (of_ethdev(end))
      rte_eth_dev_rx_intr_ctl_q(end.ethdev, end.queue, epoll_.get(), RTE_INTR_EVENT_DEL, nullptr);
  for (Socket& socket : sockets_)
    if (of_ethdev(socket)) rte_epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket.fd, &socket.event);
  std::erase_if(interrupts_, of_ethdev);
  std::erase_if(sockets_, of_ethdev);
  std::erase_if(no_wakeup_, of_ethdev);
}

// False: the socket cannot wake the worker. If one ethdev has several queues, a socket cannot be
// assigned to its queue, so each socket wakes the workers of all queues.
bool IdleWait::AddSocket(uint16_t ethdev, int fd) {
  if (std::any_of(sockets_.begin(), sockets_.end(), [fd](const auto& s) { return s.fd == fd; }))
    return true;
  Socket& socket = sockets_.emplace_back(Socket{ethdev, fd, {}});
  socket.event.epdata.event = EPOLLIN;
  if (rte_epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &socket.event) == 0) return true;
  sockets_.pop_back();
  return false;
}

// False: the PMD has no RX interrupt for the queue.
bool IdleWait::AddInterrupt(const QueueEnd& end) {
  const int enabled = rte_eth_dev_rx_intr_enable(end.ethdev, end.queue);
  // net_tap cannot enable interrupts, but its descriptor wakes the worker anyway.
  if (enabled != 0 && enabled != -ENOTSUP) return false;
  rte_eth_dev_rx_intr_disable(end.ethdev, end.queue);
  if (rte_eth_dev_rx_intr_ctl_q(end.ethdev, end.queue, epoll_.get(), RTE_INTR_EVENT_ADD, nullptr) !=
      0)
    return false;
  interrupts_.push_back(end);
  return true;
}

IdleWait::~IdleWait() {
  for (const QueueEnd& end : interrupts_)
    rte_eth_dev_rx_intr_ctl_q(end.ethdev, end.queue, epoll_.get(), RTE_INTR_EVENT_DEL, nullptr);
}

void IdleWait::Begin() {
  // By default the kernel makes sleeps up to 50 us longer than requested (timer slack, prctl(2)).
  prctl(PR_SET_TIMERSLACK, 1);
}

void IdleWait::Arm() {
  if (!wakes()) return;
  for (const QueueEnd& end : interrupts_) rte_eth_dev_rx_intr_enable(end.ethdev, end.queue);
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
  for (const QueueEnd& end : interrupts_) rte_eth_dev_rx_intr_disable(end.ethdev, end.queue);
}

}  // namespace twinpath
