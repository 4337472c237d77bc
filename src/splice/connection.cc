// SPDX-License-Identifier: BSD-3-Clause
// The life of a connection.

#include "src/splice/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/socket.h"

namespace twinpath::splice {
namespace {

constexpr Clock::time_point kNever = Clock::time_point::max();
// Between two looks where nobody tells when: what is waited for is mostly there within
// microseconds.
constexpr std::chrono::microseconds kFirstPoll(100), kLastPoll(20000);
// A reset is passed on when what came before it is acknowledged, or after so long.
constexpr std::chrono::seconds kResetGrace(1);
// The kernel has so long to bring redirected octets into a send queue that has room for them.
constexpr std::chrono::seconds kSettleTime(60);

// Of connect(2): this process or host lacks something, whichever the target.
bool IsOwnFailure(int error) {
  return error == EADDRNOTAVAIL || error == EAGAIN || error == EMFILE || error == ENFILE ||
         error == ENOBUFS || error == ENOMEM;
}

constexpr uint32_t kEvents = EPOLLRDHUP | EPOLLET;  // and EPOLLERR and EPOLLHUP, always

}  // namespace

const char* ModeName(Mode mode) {
  switch (mode) {
    case Mode::kCopy:
      return "copy";
    case Mode::kSplice:
      return "splice";
    case Mode::kSockmap:
      break;
  }
  return "sockmap";
}

Connection::Connection(Surroundings* surroundings, FileDescriptor client, uint64_t number,
                       const ConnectionFate& fate, Clock::time_point now)
    : around_(*surroundings),
      number_(number),
      fate_(fate),
      accepted_at_(now),
      client_(PeerAddress(client.get())),
      mode_(surroundings->mode),
      poll_at_(kNever),
      idle_at_(kNever),
      idle_since_(now),
      give_up_at_(kNever),
      chaos_at_(kNever) {
  for (int side = 0; side < 2; side++) {
    ends_[side].connection = this;
    ends_[side].side = side;
  }
  ends_[0].fd = std::move(client);
}

Connection::~Connection() {
  if (phase_ != Phase::kClosed) Abort();
}

void Connection::Start(Clock::time_point now) {
  // Only an error or a reset: what the client sends waits in its socket.
  Watch(0, EPOLLET);
  order_ = around_.targets.Order(now);
  TryNextTarget(now);
}

void Connection::TryNextTarget(Clock::time_point now) {
  while (tried_ < order_.size()) {
    int error = 0;
    auto fd = StartConnect(around_.targets.address(order_[tried_]), &error);
    if (fd.ok()) {
      ends_[1].fd = *std::move(fd);
      ends_[1].registered = false;
      give_up_at_ = now + around_.options.connect_timeout;
      Watch(1, kEvents | EPOLLOUT);
      return;
    }
    TargetFailed(error, now);
  }
  Close(&SplicerCounters::failed, true);
}

void Connection::TargetFailed(int error, Clock::time_point now) {
  const size_t target = order_[tried_++];
  ends_[1].fd = FileDescriptor();
  if (!IsOwnFailure(error)) around_.targets.Failed(target, now);
  around_.log.Line(
      absl::StrCat("connection ", number_, " of ", client_.text(), ": target ",
                   around_.targets.address(target).text(), ": ",
                   error == ETIMEDOUT ? "no answer" : std::strerror(error),
                   tried_ < order_.size() ? "; trying the next one" : "; the client is reset"),
      now);
}

void Connection::Establish(Clock::time_point now) {
  around_.targets.Reached(order_[tried_]);
  for (const End& end : ends_) ApplyOptions(end.fd.get(), around_.options.socket);
  MakeDirections();
  phase_ = Phase::kForwarding;
  give_up_at_ = kNever;
  idle_since_ = now;
  if (around_.options.idle.has_value()) idle_at_ = now + *around_.options.idle / 4;
  if (fate_.after.has_value()) chaos_at_ = now + *fate_.after;
  WatchBoth();
  RunAll(now);
}

void Connection::MakeDirections() {
  const int client = ends_[0].fd.get(), target = ends_[1].fd.get();
  const auto pump = [&] {
    return around_.mode == Mode::kSplice ? MakeSplicePump(&around_.pool)
                                         : MakeCopyPump(&around_.pool);
  };
  bool mapped[2] = {};
  if (around_.sockmap && (pair_ = around_.sockmap->TakePair()) >= 0) {
    mapped[0] = around_.sockmap->Insert(pair_, client) == 0;
    mapped[1] = around_.sockmap->Insert(pair_ + 1, target) == 0;
  }
  // A socket whose FIN has come already is not taken into the map. What the other one receives is
  // then left to pass, since its socket cannot leave the map without losing what waits there.
  const bool both = mapped[0] && mapped[1];
  if (around_.sockmap && !both) mode_ = Mode::kCopy;
  for (int side = 0; side < 2; side++) {
    const int source = side == 0 ? client : target, sink = side == 0 ? target : client;
    directions_[side] =
        mapped[side] ? MakeMapped(source, sink, pump(), &around_.sockmap->flow(pair_ + side), both)
                     : MakePumped(source, sink, pump());
  }
  // What came before the socket was in the map waits where neither the program nor epoll looks.
  for (int side = 0; side < 2; side++)
    if (mapped[side]) TellReaderAgain(ends_[side].fd.get());
}

void Connection::OnSocket(int side, uint32_t events, Clock::time_point now) {
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kConnecting) {
    if (side == 0) {
      if (events & (EPOLLERR | EPOLLHUP)) Close(&SplicerCounters::reset, true);
      return;
    }
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    const int error = TakeError(ends_[1].fd.get());
    if (error == 0) {
      Establish(now);
    } else {
      TargetFailed(error, now);
      TryNextTarget(now);
    }
    return;
  }
  if (phase_ == Phase::kForwarding) {
    if (events & (EPOLLRDHUP | EPOLLHUP)) directions_[side]->SourceEnded();
    if (events & EPOLLPRI) directions_[side]->Urgent();
    RunAll(now);
  }
  // What came before the error has been read now, if anything could be.
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
  directions_[slot - pair_]->OnEvent();
  RunDirection(slot - pair_, now);
  if (phase_ == Phase::kForwarding) WatchBoth();
}

void Connection::OnTime(Clock::time_point now) {
  again_ = false;
  if (phase_ == Phase::kConnecting) {
    if (now < give_up_at_) return;
    TargetFailed(ETIMEDOUT, now);
    TryNextTarget(now);
    return;
  }
  if (phase_ == Phase::kResetting) return ContinueReset(now);
  if (phase_ != Phase::kForwarding) return;
  if (now >= chaos_at_) return BeginReset(&SplicerCounters::reset_by_chaos, now);
  if (now >= idle_at_) CheckIdle(now);
  if (phase_ == Phase::kForwarding) RunAll(now);
}

void Connection::RunAll(Clock::time_point now) {
  const Clock::time_point before = std::exchange(poll_at_, kNever);
  for (int side = 0; side < 2 && phase_ == Phase::kForwarding; side++) RunDirection(side, now);
  if (phase_ != Phase::kForwarding) return;
  if (poll_at_ == kNever) {
    poll_interval_ = {};
    give_up_at_ = kNever;
  } else if (before != kNever && now < before) {
    poll_at_ = before;  // news of the other side do not put the look off
  }
  if (now >= give_up_at_ && seen_by_poll_.Moved(TrafficNow())) {
    give_up_at_ = now + kSettleTime;
  } else if (now >= give_up_at_) {
    around_.log.Line(
        absl::StrCat("connection ", number_, " of ", client_.text(),
                     ": octets that the kernel redirected did not arrive within ",
                     kSettleTime.count(), " s; both sides are reset (to the target: ",
                     directions_[0]->Counts(), "; to the client: ", directions_[1]->Counts(), ")"),
        now);
    return BeginReset(&SplicerCounters::reset, now);
  }
  WatchBoth();
}

void Connection::RunDirection(int side, Clock::time_point now) {
  if (fin_passed_[side]) return;
  Direction& direction = *directions_[side];
  const Progress progress = direction.Run(fate_.octets);
  switch (progress) {
    case Progress::kWait:
      break;
    case Progress::kAgain:
      again_ = true;
      break;
    case Progress::kPoll:
      // What was passed may wait behind what the other direction redirected to this source.
      directions_[1 - side]->ClearSink();
      Poll(now);
      break;
    case Progress::kEnded:
      PassFin(side, now);
      break;
    case Progress::kSpent:
      BeginReset(&SplicerCounters::reset_by_chaos, now);
      break;
    case Progress::kSourceFailed:
    case Progress::kSinkFailed:
      if (direction.error() == EMFILE || direction.error() == ENFILE)
        around_.log.Line(absl::StrCat("connection ", number_, " of ", client_.text(),
                                      ": no pipe: ", std::strerror(direction.error())),
                         now);
      else if (mode_ == Mode::kSockmap && direction.error() == ENOMEM)
        around_.log.Line(absl::StrCat("connection ", number_, " of ", client_.text(),
                                      ": the kernel could not cut off what came twice; both sides "
                                      "are reset"),
                         now);
      else if (direction.error() == EILSEQ)
        around_.log.Line(
            absl::StrCat("connection ", number_, " of ", client_.text(),
                         ": sockmap does not tell which octets of a segment are new on "
                         "this kernel; both sides are reset; --mode splice works"),
            now);
      else
        failed_[progress == Progress::kSourceFailed ? side : 1 - side] = true;
      BeginReset(&SplicerCounters::reset, now);
      break;
  }
}

void Connection::Poll(Clock::time_point now) {
  if (poll_at_ != kNever) return;
  poll_interval_ = std::clamp<Clock::duration>(2 * poll_interval_, kFirstPoll, kLastPoll);
  poll_at_ = now + poll_interval_;
  if (give_up_at_ != kNever) return;
  give_up_at_ = now + kSettleTime;
  seen_by_poll_ = TrafficNow();
}

void Connection::PassFin(int side, Clock::time_point now) {
  fin_passed_[side] = true;
  if (shutdown(ends_[1 - side].fd.get(), SHUT_WR)) {
    failed_[1 - side] = true;
    return BeginReset(&SplicerCounters::reset, now);
  }
  if (!fin_passed_[1 - side]) return;
  if (around_.draining) around_.counters.drained++;
  Close(&SplicerCounters::finished, false);
}

Connection::Traffic Connection::TrafficNow() const {
  Traffic traffic;
  for (int side = 0; side < 2; side++) {
    traffic.forwarded[side] = Forwarded(side);
    traffic.waiting[side] = UnacknowledgedOctets(ends_[1 - side].fd.get());
  }
  return traffic;
}

void Connection::CheckIdle(Clock::time_point now) {
  if (seen_by_idle_.Moved(TrafficNow())) idle_since_ = now;
  if (now - idle_since_ >= *around_.options.idle)
    BeginReset(&SplicerCounters::idle, now);
  else
    idle_at_ = now + *around_.options.idle / 4;
}

void Connection::BeginReset(uint64_t SplicerCounters::*counter, Clock::time_point now) {
  phase_ = Phase::kResetting;
  reset_counter_ = counter;
  give_up_at_ = now + kResetGrace;
  poll_interval_ = {};
  idle_at_ = chaos_at_ = kNever;
  again_ = false;
  for (const auto& direction : directions_) direction->Stop();
  ContinueReset(now);
}

void Connection::ContinueReset(Clock::time_point now) {
  bool delivered = true;
  for (int side = 0; side < 2; side++) {
    const int sink = 1 - side;
    if (failed_[sink]) continue;
    if (!fin_passed_[side] && !directions_[side]->Flush()) delivered = false;
    if (UnacknowledgedOctets(ends_[sink].fd.get()) != 0) delivered = false;
  }
  if (delivered || now >= give_up_at_) return Close(reset_counter_, true);
  poll_interval_ = std::clamp<Clock::duration>(2 * poll_interval_, kFirstPoll, kLastPoll);
  poll_at_ = now + poll_interval_;
}

void Connection::Abort() {
  if (phase_ != Phase::kClosed) Close(&SplicerCounters::aborted, true);
}

void Connection::Close(uint64_t SplicerCounters::*counter, bool reset) {
  around_.counters.*counter += 1;
  around_.counters.to_target_bytes += Forwarded(0);
  around_.counters.to_client_bytes += Forwarded(1);
  phase_ = Phase::kClosed;
  again_ = false;
  for (End& end : ends_) {
    if (reset && end.fd.get() >= 0) ResetOnClose(end.fd.get());
    end.fd = FileDescriptor();  // and out of epoll and of the map
  }
  for (auto& direction : directions_) direction.reset();
}

Clock::time_point Connection::deadline() const {
  if (phase_ == Phase::kClosed) return kNever;
  return std::min({poll_at_, idle_at_, give_up_at_, chaos_at_});
}

void Connection::Watch(int side, uint32_t interest) {
  End& end = ends_[side];
  if (end.registered && end.interest == interest) return;
  epoll_event event = {.events = interest, .data = {.ptr = &end}};
  const int operation = end.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  static_cast<void>(epoll_ctl(around_.epoll, operation, end.fd.get(), &event));
  end.interest = interest;
  end.registered = true;
}

// A socket that the kernel serves is not watched for input: the program is run with each segment,
// and each would wake this thread.
void Connection::WatchBoth() {
  for (int side = 0; side < 2; side++) {
    uint32_t interest = kEvents;
    if (!fin_passed_[side] && directions_[side]->ReadsSource()) interest |= EPOLLIN | EPOLLPRI;
    if (!fin_passed_[1 - side] && directions_[1 - side]->WritesSink()) interest |= EPOLLOUT;
    Watch(side, interest);
  }
}

uint64_t Connection::Forwarded(int side) const {
  return directions_[side] ? directions_[side]->Forwarded() : 0;
}

ConnectionFacts Connection::Facts(Clock::time_point now) const {
  const char* state = "open";
  if (phase_ == Phase::kConnecting) state = "connecting";
  if (phase_ == Phase::kResetting) state = "resetting";
  if (phase_ == Phase::kForwarding && (fin_passed_[0] || fin_passed_[1])) state = "half-closed";
  const size_t target = order_.empty() ? 0 : order_[std::min(tried_, order_.size() - 1)];
  return {.number = number_,
          .client = client_,
          .target = around_.targets.address(target),
          .mode = ModeName(mode_),
          .state = state,
          .age = now - accepted_at_,
          .forwarded = {Forwarded(0), Forwarded(1)}};
}

ConnectionSnapshot ConnectionFacts::Snapshot() const {
  return {.number = number,
          .client = client.text(),
          .target = target.text(),
          .mode = mode,
          .state = state,
          .age_s = std::chrono::duration<double>(age).count(),
          .to_target_bytes = forwarded[0],
          .to_client_bytes = forwarded[1]};
}

}  // namespace twinpath::splice
