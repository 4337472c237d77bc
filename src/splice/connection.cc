// SPDX-License-Identifier: BSD-3-Clause
// The life of a connection: connecting, forwarding, ending.

#include "src/splice/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/connect/socket.h"

namespace twinpath::splice {
namespace {

constexpr Clock::time_point kNever = Clock::time_point::max();
// Intervals between two checks of a condition that no event reports. Usually the condition holds
// after microseconds. The interval doubles from the first value to the last.
constexpr std::chrono::microseconds kFirstPoll(100), kLastPoll(20000);
// A reset is forwarded when all bytes before it are acknowledged, but at most this much later.
constexpr std::chrono::seconds kResetGrace(1);
// Time that the kernel has to bring redirected bytes into a send queue that has room for them.
constexpr std::chrono::seconds kSettleTime(60);

constexpr uint32_t kEvents = EPOLLRDHUP | EPOLLET;  // epoll adds EPOLLERR and EPOLLHUP

}  // namespace

Connection::Connection(WorkerContext* context, FileDescriptor client, uint64_t number,
                       const ConnectionFate& fate, Clock::time_point now)
    : context_(*context),
      number_(number),
      fate_(fate),
      accepted_at_(now),
      client_(PeerAddress(client.get())),
      connector_(context, number, client_),
      mode_(context->mode),
      idle_since_(now),
      poll_at_(kNever),
      idle_check_at_(kNever),
      give_up_at_(kNever),
      chaos_at_(kNever) {
  for (int side = 0; side < 2; side++) {
    endpoints_[side].connection = this;
    endpoints_[side].side = side;
  }
  endpoints_[0].fd = std::move(client);
}

Connection::~Connection() {
  if (phase_ != Phase::kClosed) Abort();
}

void Connection::Start(Clock::time_point now) {
  // Watches only for errors and resets for now. Bytes from the client wait in its socket.
  Watch(0, EPOLLET);
  ConnectToNextTarget(now);
}

void Connection::ConnectToNextTarget(Clock::time_point now) {
  Endpoint& target = endpoints_[1];
  target.fd = FileDescriptor();
  target.registered = false;
  auto fd = connector_.StartNext(now);
  if (!fd) return Close(&SplicerCounters::failed, Ending::kReset);
  target.fd = *std::move(fd);
  give_up_at_ = now + context_.options.connect_timeout;
  Watch(1, kEvents | EPOLLOUT);
}

void Connection::OnSocketWhileConnecting(int side, uint32_t events, Clock::time_point now) {
  if (side == 0) {
    if (events & (EPOLLERR | EPOLLHUP)) Close(&SplicerCounters::reset, Ending::kReset);
    return;
  }
  if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
  if (connector_.Finish(endpoints_[1].fd.get(), now))
    Establish(now);
  else
    ConnectToNextTarget(now);
}

void Connection::Establish(Clock::time_point now) {
  for (const Endpoint& endpoint : endpoints_)
    ApplyOptions(endpoint.fd.get(), context_.options.socket);
  MakeDirections();
  phase_ = Phase::kForwarding;
  give_up_at_ = kNever;
  idle_since_ = now;
  if (context_.options.idle.has_value()) idle_check_at_ = now + *context_.options.idle / 4;
  if (fate_.lifetime.has_value()) chaos_at_ = now + *fate_.lifetime;
  WatchBoth();
  RunBoth(now);
}

void Connection::MakeDirections() {
  const int client = endpoints_[0].fd.get(), target = endpoints_[1].fd.get();
  const auto make_pump = [&] {
    return context_.mode == Mode::kSplice ? MakeSplicePump(&context_.pool)
                                          : MakeCopyPump(&context_.pool);
  };
  bool mapped[2] = {};
  if (context_.sockmap && (pair_ = context_.sockmap->TakePair()) >= 0) {
    mapped[0] = context_.sockmap->Insert(pair_, client) == 0;
    mapped[1] = context_.sockmap->Insert(pair_ + 1, target) == 0;
  }
  // The kernel refuses a socket whose FIN has already arrived. Its peer stays in the map, because
  // bytes that wait there would be lost otherwise, but all bytes that it receives are passed.
  const bool both = mapped[0] && mapped[1];
  if (context_.sockmap && !both) mode_ = Mode::kCopy;
  for (int side = 0; side < 2; side++) {
    const int source = side == 0 ? client : target, sink = side == 0 ? target : client;
    directions_[side] = mapped[side]
                            ? MakeSockmapDirection(source, sink, make_pump(),
                                                   &context_.sockmap->flow(pair_ + side), both)
                            : MakePumpDirection(source, sink, make_pump());
  }
  // Neither the BPF program nor epoll reports bytes that arrived before the socket was in the map.
  for (int side = 0; side < 2; side++)
    if (mapped[side]) RepeatReadEvent(endpoints_[side].fd.get());
}

void Connection::OnSocket(int side, uint32_t events, Clock::time_point now) {
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kConnecting) return OnSocketWhileConnecting(side, events, now);
  if (phase_ == Phase::kForwarding) {
    if (events & (EPOLLRDHUP | EPOLLHUP)) directions_[side]->OnFin();
    if (events & EPOLLPRI) directions_[side]->OnUrgent();
    RunBoth(now);
  }
  // All readable bytes that arrived before the error have been read now.
  if (phase_ == Phase::kForwarding && (events & EPOLLERR)) {
    failed_[side] = true;
    BeginReset(&SplicerCounters::reset, now);
  } else if (phase_ == Phase::kResetting) {
    if (events & EPOLLERR) failed_[side] = true;
    ContinueReset(now);
  }
}

void Connection::OnFlow(int slot, Clock::time_point now) {
  if (phase_ != Phase::kForwarding) return;
  directions_[slot - pair_]->OnFlowEvent();
  RunDirection(slot - pair_, now);
  if (phase_ == Phase::kForwarding) WatchBoth();
}

void Connection::OnTimer(Clock::time_point now) {
  has_more_work_ = false;
  if (phase_ == Phase::kConnecting) {
    if (now < give_up_at_) return;
    connector_.TimedOut(now);
    return ConnectToNextTarget(now);
  }
  if (phase_ == Phase::kResetting) return ContinueReset(now);
  if (phase_ != Phase::kForwarding) return;
  if (now >= chaos_at_) return BeginReset(&SplicerCounters::reset_by_chaos, now);
  if (now >= idle_check_at_) CheckIdle(now);
  if (phase_ == Phase::kForwarding) RunBoth(now);
}

void Connection::RunBoth(Clock::time_point now) {
  const Clock::time_point before = std::exchange(poll_at_, kNever);
  for (int side = 0; side < 2 && phase_ == Phase::kForwarding; side++) RunDirection(side, now);
  if (phase_ != Phase::kForwarding) return;
  if (poll_at_ == kNever) {
    poll_interval_ = {};
    give_up_at_ = kNever;
  } else if (before != kNever && now < before) {
    poll_at_ = before;  // an event of one side must not postpone the other side's poll
  }
  if (now >= give_up_at_) CheckSettling(now);
  if (phase_ == Phase::kForwarding) WatchBoth();
}

void Connection::RunDirection(int side, Clock::time_point now) {
  if (fin_passed_[side]) return;
  const Progress progress = directions_[side]->Run(fate_.byte_limit);
  switch (progress) {
    case Progress::kWait:
      break;
    case Progress::kYield:
      has_more_work_ = true;
      break;
    case Progress::kPoll:
      // Passed bytes may wait behind bytes that the opposite direction redirected to this source.
      directions_[1 - side]->UnblockSink();
      SchedulePoll(now);
      break;
    case Progress::kFinished:
      PassFin(side, now);
      break;
    case Progress::kLimitReached:
      BeginReset(&SplicerCounters::reset_by_chaos, now);
      break;
    case Progress::kSourceFailed:
    case Progress::kSinkFailed:
      FailDirection(side, progress, now);
      break;
  }
}

// Marks only a failed socket as failed. After other failures both sockets are usable, so their
// bytes are delivered before the reset.
void Connection::FailDirection(int side, Progress progress, Clock::time_point now) {
  const int error = directions_[side]->error();
  if (error == EMFILE || error == ENFILE)
    Log(absl::StrCat("cannot make a pipe: ", std::strerror(error),
                     ": raise ulimit -n or lower --max-connections; both sides reset"),
        now);
  else if (mode_ == Mode::kSockmap && error == ENOMEM)
    Log("the kernel has no memory to cut a retransmitted segment; both sides reset", now);
  else if (error == EILSEQ)
    Log("this kernel does not show sockmap which bytes of a segment are new; both sides reset; "
        "use --mode splice",
        now);
  else
    failed_[progress == Progress::kSourceFailed ? side : 1 - side] = true;
  BeginReset(&SplicerCounters::reset, now);
}

void Connection::SchedulePoll(Clock::time_point now) {
  if (poll_at_ != kNever) return;
  poll_at_ = NextPoll(now);
  if (give_up_at_ != kNever) return;
  give_up_at_ = now + kSettleTime;
  settling_traffic_ = TrafficNow();
}

// Called when redirected bytes have not arrived for kSettleTime.
void Connection::CheckSettling(Clock::time_point now) {
  if (settling_traffic_.Update(TrafficNow())) {
    give_up_at_ = now + kSettleTime;
    return;
  }
  Log(absl::StrCat("bytes that the kernel redirected did not arrive within ", kSettleTime.count(),
                   " s; both sides reset (to the target: ", directions_[0]->DebugCounts(),
                   "; to the client: ", directions_[1]->DebugCounts(), ")"),
      now);
  BeginReset(&SplicerCounters::reset, now);
}

void Connection::PassFin(int side, Clock::time_point now) {
  fin_passed_[side] = true;
  if (shutdown(endpoints_[1 - side].fd.get(), SHUT_WR)) {
    failed_[1 - side] = true;
    return BeginReset(&SplicerCounters::reset, now);
  }
  if (!fin_passed_[1 - side]) return;
  if (context_.draining) context_.counters.drained++;
  Close(&SplicerCounters::finished, Ending::kFin);
}

void Connection::CheckIdle(Clock::time_point now) {
  if (idle_traffic_.Update(TrafficNow())) idle_since_ = now;
  if (now - idle_since_ >= *context_.options.idle)
    BeginReset(&SplicerCounters::idle, now);
  else
    idle_check_at_ = now + *context_.options.idle / 4;
}

uint64_t Connection::Forwarded(int side) const {
  return directions_[side] ? directions_[side]->Forwarded() : 0;
}

Connection::Traffic Connection::TrafficNow() const {
  Traffic traffic;
  for (int side = 0; side < 2; side++) {
    traffic.forwarded[side] = Forwarded(side);
    traffic.unacknowledged[side] = UnacknowledgedBytes(endpoints_[1 - side].fd.get());
  }
  return traffic;
}

void Connection::BeginReset(uint64_t SplicerCounters::*counter, Clock::time_point now) {
  phase_ = Phase::kResetting;
  reset_counter_ = counter;
  give_up_at_ = now + kResetGrace;
  poll_interval_ = {};
  idle_check_at_ = chaos_at_ = kNever;
  has_more_work_ = false;
  for (const auto& direction : directions_) direction->Stop();
  ContinueReset(now);
}

void Connection::ContinueReset(Clock::time_point now) {
  bool delivered = true;
  for (int side = 0; side < 2; side++) {
    const int sink = 1 - side;
    if (failed_[sink]) continue;
    if (!fin_passed_[side] && !directions_[side]->Flush()) delivered = false;
    if (UnacknowledgedBytes(endpoints_[sink].fd.get()) != 0) delivered = false;
  }
  if (delivered || now >= give_up_at_) return Close(reset_counter_, Ending::kReset);
  poll_at_ = NextPoll(now);
}

void Connection::Abort() {
  if (phase_ != Phase::kClosed) Close(&SplicerCounters::aborted, Ending::kReset);
}

void Connection::Close(uint64_t SplicerCounters::*counter, Ending ending) {
  context_.counters.*counter += 1;
  context_.counters.to_target_bytes += Forwarded(0);
  context_.counters.to_client_bytes += Forwarded(1);
  phase_ = Phase::kClosed;
  has_more_work_ = false;
  for (Endpoint& endpoint : endpoints_) {
    if (ending == Ending::kReset && endpoint.fd.get() >= 0) ResetOnClose(endpoint.fd.get());
    endpoint.fd = FileDescriptor();  // close also removes it from epoll and the sockmap
  }
  for (auto& direction : directions_) direction.reset();
}

Clock::time_point Connection::deadline() const {
  if (phase_ == Phase::kClosed) return kNever;
  return std::min({poll_at_, idle_check_at_, give_up_at_, chaos_at_});
}

void Connection::Watch(int side, uint32_t interest) {
  Endpoint& endpoint = endpoints_[side];
  if (endpoint.registered && endpoint.interest == interest) return;
  epoll_event event = {.events = interest, .data = {.ptr = &endpoint}};
  const int operation = endpoint.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  static_cast<void>(epoll_ctl(context_.epoll, operation, endpoint.fd.get(), &event));
  endpoint.interest = interest;
  endpoint.registered = true;
}

// Does not watch a socket that the BPF program serves for input, because each segment would wake
// this thread.
void Connection::WatchBoth() {
  for (int side = 0; side < 2; side++) {
    uint32_t interest = kEvents;
    if (!fin_passed_[side] && directions_[side]->WantsReadEvents()) interest |= EPOLLIN | EPOLLPRI;
    if (!fin_passed_[1 - side] && directions_[1 - side]->WantsWriteEvents()) interest |= EPOLLOUT;
    Watch(side, interest);
  }
}

Clock::time_point Connection::NextPoll(Clock::time_point now) {
  poll_interval_ = std::clamp<Clock::duration>(2 * poll_interval_, kFirstPoll, kLastPoll);
  return now + poll_interval_;
}

void Connection::Log(const std::string& text, Clock::time_point now) {
  context_.log.Line(absl::StrCat(ConnectionName(number_, client_), ": ", text), now);
}

ConnectionFacts Connection::Facts(Clock::time_point now) const {
  const char* state = "open";
  if (phase_ == Phase::kConnecting) state = "connecting";
  if (phase_ == Phase::kResetting) state = "resetting";
  if (phase_ == Phase::kForwarding && (fin_passed_[0] || fin_passed_[1])) state = "half-closed";
  return {.number = number_,
          .client = client_,
          .target = connector_.target(),
          .mode = ModeName(mode_),
          .state = state,
          .age = now - accepted_at_,
          .forwarded = {Forwarded(0), Forwarded(1)}};
}

}  // namespace twinpath::splice
