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
#include "src/splice/connect/socket.h"

namespace twinpath::splice {
namespace {

constexpr int kMaxEvents = 256;                         // taken per turn
constexpr int kMaxAccepts = 64;                         // before open connections have a turn
constexpr std::chrono::milliseconds kAcceptPause(100);  // after descriptors ran out

absl::Status CallError(const char* call) {
  return absl::InternalError(absl::StrCat(call, ": ", std::strerror(errno)));
}

// Events that belong to no connection point to one of these variables.
char listener_tag, wake_tag, flows_tag;

bool Add(int epoll, int fd, uint32_t events, void* tag) {
  epoll_event event = {.events = events, .data = {.ptr = tag}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(SharedState* shared,
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
  if (!worker->WatchListener()) return CallError("epoll_ctl");
  worker->thread_ = std::thread([raw = worker.get()] { raw->Loop(); });
  return worker;
}

Worker::Worker(SharedState* shared, std::unique_ptr<Sockmap> sockmap, FileDescriptor epoll,
               FileDescriptor wake)
    : shared_(*shared),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      sockmap_(std::move(sockmap)),
      context_{.options = shared->options,
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

void Worker::Send(Request request) {
  request_ = request;
  Wake();
}

uint64_t Worker::WakeAndCountTurns() {
  Wake();
  return turns_;
}

void Worker::Wake() {
  const uint64_t one = 1;
  static_cast<void>(!write(wake_.get(), &one, sizeof(one)));
}

void Worker::Drain() { Send(Request::kDrain); }

void Worker::End() {
  if (!thread_.joinable()) return;
  Send(Request::kEnd);
  thread_.join();
}

void Worker::AddTo(Clock::time_point now, SplicerCounters* counters,
                   std::vector<ConnectionSnapshot>* connections) const {
  std::vector<ConnectionFacts> facts;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const SplicerCounters& mine = context_.counters;
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

int Worker::TimeoutMs() const {
  if (!ready_.empty()) return 0;
  Clock::time_point next = accept_at_;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60000));
}

void Worker::Loop() {
  pthread_setname_np(pthread_self(), "tp-splice");
  while (request_ != Request::kEnd) {
    Turn(TimeoutMs());
    turns_++;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [connection, entry] : connections_) {
    connection->Abort();
    shared_.open--;
  }
  connections_.clear();
}

void Worker::Turn(int timeout_ms) {
  epoll_event events[kMaxEvents];
  const int count = epoll_wait(epoll_.get(), events, kMaxEvents, timeout_ms);
  const std::lock_guard<std::mutex> lock(mutex_);
  const Clock::time_point now = Clock::now();
  std::vector<Connection*> ready;
  ready.swap(ready_);
  for (int i = 0; i < count; i++) HandleEvent(events[i].data.ptr, events[i].events, now);
  for (Connection* connection : ready) {
    connections_.find(connection)->second.queued = false;
    if (connection->has_more_work()) connection->OnTimer(now);
    Reschedule(connection);
  }
  RunTimers(now);
  if (request_ == Request::kDrain && accepting_) StopAccepting();
  if (now >= accept_at_) Accept(now);
  RemoveClosed();
}

void Worker::HandleEvent(void* tag, uint32_t events, Clock::time_point now) {
  if (tag == &listener_tag) {
    Accept(now);
  } else if (tag == &flows_tag) {
    TakeFlowEvents(now);
  } else if (tag == &wake_tag) {
    uint64_t ignored = 0;
    static_cast<void>(!read(wake_.get(), &ignored, sizeof(ignored)));
  } else {
    auto* endpoint = static_cast<Connection::Endpoint*>(tag);
    endpoint->connection->OnSocket(endpoint->side, events, now);
    Reschedule(endpoint->connection);
  }
}

// EPOLLEXCLUSIVE makes a new client wake only one worker.
bool Worker::WatchListener() {
  return Add(epoll_.get(), shared_.listener, EPOLLIN | EPOLLEXCLUSIVE, &listener_tag);
}

bool Worker::UnwatchListener() {
  return epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shared_.listener, nullptr) == 0;
}

void Worker::StopAccepting() {
  UnwatchListener();
  accepting_ = false;
  accept_at_ = Clock::time_point::max();
  context_.draining = true;
}

void Worker::Accept(Clock::time_point now) {
  if (!accepting_) return;
  if (std::exchange(accept_at_, Clock::time_point::max()) != Clock::time_point::max())
    WatchListener();
  for (int i = 0; i < kMaxAccepts; i++) {
    FileDescriptor client(
        accept4(shared_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.get() >= 0)
      Serve(std::move(client), now);
    else if (errno != EINTR && errno != ECONNABORTED)
      return AcceptFailed(errno, now);
  }
}

// Pauses if descriptors or memory ran out. The listener stays readable meanwhile, so it is not
// watched during the pause.
void Worker::AcceptFailed(int error, Clock::time_point now) {
  if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM) return;
  shared_.log.Line(absl::StrCat("cannot accept a client: ", std::strerror(error),
                                "; clients wait, trying again every ", kAcceptPause.count(), " ms"),
                   now);
  accept_at_ = now + kAcceptPause;
  UnwatchListener();
}

void Worker::Serve(FileDescriptor client, Clock::time_point now) {
  const uint64_t number = shared_.accepted++;
  context_.counters.accepted++;
  const ConnectionFate fate = FateOf(shared_.options.chaos, number);
  if (fate.refused) return Refuse(std::move(client), &SplicerCounters::refused_by_chaos);
  if (shared_.open++ >= shared_.options.max_connections) {
    shared_.open--;
    shared_.log.Line(absl::StrCat(ConnectionName(number, PeerAddress(client.get())), " reset: all ",
                                  shared_.options.max_connections,
                                  " connections that --max-connections allows are open"),
                     now);
    return Refuse(std::move(client), &SplicerCounters::refused);
  }
  auto connection = std::make_unique<Connection>(&context_, std::move(client), number, fate, now);
  Connection* raw = connection.get();
  connections_.emplace(raw, Entry{std::move(connection), timers_.end(), false});
  raw->Start(now);
  Reschedule(raw);
}

void Worker::Refuse(FileDescriptor client, uint64_t SplicerCounters::*counter) {
  context_.counters.*counter += 1;
  ResetOnClose(client.get());
}

void Worker::TakeFlowEvents(Clock::time_point now) {
  sockmap_->TakeEvents([&](int slot) {
    Connection* connection = by_pair_[static_cast<size_t>(slot / 2)];
    if (!connection) return;  // closed in the meantime
    connection->OnFlow(slot, now);
    Reschedule(connection);
  });
}

void Worker::RunTimers(Clock::time_point now) {
  // Collects the timers first, so that a timer that is set again for `now` runs in the next turn.
  std::vector<Connection*> due;
  for (auto timer = timers_.begin(); timer != timers_.end() && timer->first <= now; ++timer)
    due.push_back(timer->second);
  for (Connection* connection : due) {
    if (!connection->closed()) connection->OnTimer(now);
    Reschedule(connection);
  }
}

void Worker::Reschedule(Connection* connection) {
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
  else if (connection->has_more_work() && !std::exchange(entry.queued, true))
    ready_.push_back(connection);
}

// Called after all events of a turn, because a later event may refer to a connection that an
// earlier one closed.
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
