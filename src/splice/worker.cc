// SPDX-License-Identifier: BSD-3-Clause
// The event loop.

#include "src/splice/worker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/socket.h"

namespace twinpath::splice {
namespace {

constexpr int kEvents = 256;                            // taken at once
constexpr int kAccepts = 64;                            // before connections have their turn
constexpr std::chrono::milliseconds kAcceptPause(100);  // where no descriptor is left

absl::Status CallError(const char* call) {
  return absl::InternalError(absl::StrCat(call, ": ", std::strerror(errno)));
}

// An event of what is no connection points here.
char listener_tag, wake_tag, flows_tag;

bool Add(int epoll, int fd, uint32_t events, void* tag) {
  epoll_event event = {.events = events, .data = {.ptr = tag}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(Shared* shared,
                                                      std::unique_ptr<Sockmap> sockmap) {
  FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (epoll.get() < 0) return CallError("epoll_create1");
  FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.get() < 0) return CallError("eventfd");
  if (!Add(epoll.get(), wake.get(), EPOLLIN, &wake_tag) ||
      (sockmap && !Add(epoll.get(), sockmap->events_fd(), EPOLLIN, &flows_tag)))
    return CallError("epoll_ctl");
  auto worker = std::unique_ptr<Worker>(
      new Worker(shared, std::move(sockmap), std::move(epoll), std::move(wake)));
  if (!worker->WatchListener(true)) return CallError("epoll_ctl");
  worker->thread_ = std::thread([raw = worker.get()] { raw->Loop(); });
  return worker;
}

Worker::Worker(Shared* shared, std::unique_ptr<Sockmap> sockmap, FileDescriptor epoll,
               FileDescriptor wake)
    : shared_(*shared),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      sockmap_(std::move(sockmap)),
      around_{.options = shared->options,
              .mode = shared->mode,
              .targets = shared->targets,
              .log = shared->log,
              .sockmap = sockmap_.get(),
              .epoll = epoll_.get(),
              .pool = {},
              .counters = {},
              .draining = false},
      by_pair_(sockmap_ ? shared->options.max_connections : 0) {}

Worker::~Worker() { End(); }

void Worker::Tell(Order order) {
  order_ = order;
  Wake();
}

uint64_t Worker::Nudge() {
  Wake();
  return turns_;
}

void Worker::Wake() {
  const uint64_t one = 1;
  static_cast<void>(!write(wake_.get(), &one, sizeof(one)));
}

void Worker::Drain() { Tell(Order::kDrain); }

void Worker::End() {
  if (!thread_.joinable()) return;
  Tell(Order::kEnd);
  thread_.join();
}

void Worker::AddTo(Clock::time_point now, SplicerCounters* counters,
                   std::vector<ConnectionSnapshot>* connections) const {
  std::vector<ConnectionFacts> facts;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const SplicerCounters& mine = around_.counters;
    for (uint64_t SplicerCounters::*counter : kSplicerCounters) counters->*counter += mine.*counter;
    facts.reserve(connections_.size());
    for (const auto& [connection, entry] : connections_) facts.push_back(connection->Facts(now));
  }
  for (const ConnectionFacts& each : facts) {
    counters->to_target_bytes += each.forwarded[0];
    counters->to_client_bytes += each.forwarded[1];
    connections->push_back(each.Snapshot());
  }
}

int Worker::Timeout() const {
  if (!ready_.empty()) return 0;
  Clock::time_point next = accept_at_;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60000));
}

void Worker::Loop() {
  pthread_setname_np(pthread_self(), "tp-splice");
  while (order_ != Order::kEnd) {
    Turn(Timeout());
    turns_++;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [connection, entry] : connections_) {
    connection->Abort();
    shared_.open--;
  }
  connections_.clear();
}

void Worker::Turn(int timeout) {
  epoll_event events[kEvents];
  const int count = epoll_wait(epoll_.get(), events, kEvents, timeout);
  const std::lock_guard<std::mutex> lock(mutex_);
  const Clock::time_point now = Clock::now();
  std::vector<Connection*> ready;
  ready.swap(ready_);
  for (int i = 0; i < count; i++) {
    void* tag = events[i].data.ptr;
    if (tag == &listener_tag) {
      Accept(now);
    } else if (tag == &flows_tag) {
      TakeFlowEvents(now);
    } else if (tag == &wake_tag) {
      uint64_t ignored = 0;
      static_cast<void>(!read(wake_.get(), &ignored, sizeof(ignored)));
    } else {
      auto* end = static_cast<Connection::End*>(tag);
      end->connection->OnSocket(end->side, events[i].events, now);
      Settle(end->connection);
    }
  }
  for (Connection* connection : ready) {
    connections_.find(connection)->second.queued = false;
    if (connection->busy()) connection->OnTime(now);
    Settle(connection);
  }
  RunTimers(now);
  if (order_ == Order::kDrain && accepting_) {
    WatchListener(false);
    accepting_ = false;
    around_.draining = true;
    accept_at_ = Clock::time_point::max();
  }
  if (now >= accept_at_) Accept(now);
  RemoveClosed();
}

// Exclusive: a new client wakes one worker.
bool Worker::WatchListener(bool watched) {
  if (watched) return Add(epoll_.get(), shared_.listener, EPOLLIN | EPOLLEXCLUSIVE, &listener_tag);
  return epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shared_.listener, nullptr) == 0;
}

void Worker::Accept(Clock::time_point now) {
  if (!accepting_) return;
  if (std::exchange(accept_at_, Clock::time_point::max()) != Clock::time_point::max())
    WatchListener(true);
  for (int i = 0; i < kAccepts; i++) {
    FileDescriptor client(
        accept4(shared_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        shared_.log.Line(absl::StrCat("accepting: ", std::strerror(errno), "; trying again"), now);
        accept_at_ = now + kAcceptPause;
        WatchListener(false);  // it stays readable
      }
      return;
    }
    const uint64_t number = shared_.accepted++;
    around_.counters.accepted++;
    const ConnectionFate fate = FateOf(shared_.options.chaos, number);
    if (fate.refused) {
      Refuse(std::move(client), &SplicerCounters::refused_by_chaos, nullptr, now);
      continue;
    }
    if (shared_.open++ >= shared_.options.max_connections) {
      shared_.open--;
      Refuse(std::move(client), &SplicerCounters::refused, "all --max-connections are in use", now);
      continue;
    }
    auto connection = std::make_unique<Connection>(&around_, std::move(client), number, fate, now);
    Connection* raw = connection.get();
    connections_.emplace(raw, Entry{std::move(connection), timers_.end(), false});
    raw->Start(now);
    Settle(raw);
  }
}

void Worker::Refuse(FileDescriptor client, uint64_t SplicerCounters::*counter, const char* why,
                    Clock::time_point now) {
  around_.counters.*counter += 1;
  if (why)
    shared_.log.Line(absl::StrCat("a client, ", PeerAddress(client.get()).text(),
                                  ", is reset: ", why, " (", shared_.options.max_connections, ")"),
                     now);
  ResetOnClose(client.get());
}

void Worker::TakeFlowEvents(Clock::time_point now) {
  sockmap_->TakeEvents([&](int slot) {
    Connection* connection = by_pair_[static_cast<size_t>(slot / 2)];
    if (!connection) return;  // closed since
    connection->OnFlow(slot, now);
    Settle(connection);
  });
}

void Worker::RunTimers(Clock::time_point now) {
  // Those that are set again for now have their turn in the next round.
  std::vector<Connection*> due;
  for (auto timer = timers_.begin(); timer != timers_.end() && timer->first <= now; ++timer)
    due.push_back(timer->second);
  for (Connection* connection : due) {
    if (!connection->closed()) connection->OnTime(now);
    Settle(connection);
  }
}

void Worker::Settle(Connection* connection) {
  Entry& entry = connections_.find(connection)->second;
  const Clock::time_point deadline = connection->deadline();
  if (entry.timer != timers_.end() && entry.timer->first != deadline) {
    timers_.erase(entry.timer);
    entry.timer = timers_.end();
  }
  if (entry.timer == timers_.end() && deadline != Clock::time_point::max())
    entry.timer = timers_.emplace(deadline, connection);
  if (connection->pair() >= 0) by_pair_[static_cast<size_t>(connection->pair() / 2)] = connection;
  if (connection->closed())
    closed_.push_back(connection);
  else if (connection->busy() && !std::exchange(entry.queued, true))
    ready_.push_back(connection);
}

// After all that epoll reported: an event may tell of a connection that an earlier one closed.
void Worker::RemoveClosed() {
  std::sort(closed_.begin(), closed_.end());
  closed_.erase(std::unique(closed_.begin(), closed_.end()), closed_.end());
  for (Connection* connection : closed_) {
    const int pair = connection->pair();
    connections_.erase(connection);
    if (pair >= 0) {
      by_pair_[static_cast<size_t>(pair / 2)] = nullptr;
      sockmap_->ReturnPair(pair);
    }
    ready_.erase(std::remove(ready_.begin(), ready_.end(), connection), ready_.end());
    shared_.open--;
  }
  closed_.clear();
}

}  // namespace twinpath::splice
