// SPDX-License-Identifier: BSD-3-Clause
// Both kinds of direction.

#include "src/splice/direction.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/flow.h"
#include "src/splice/socket.h"

namespace twinpath::splice {
namespace {

// What a sink's send queue may become once its sink was slow: the kernel's own maximum by default
// (net.ipv4.tcp_wmem), which it no longer tunes then.
constexpr uint64_t kSendQueue = 4 << 20;
constexpr int kSteps = 16;  // before others have their turn

class Pumped : public Direction {
 public:
  Pumped(int source, int sink, std::unique_ptr<Pump> pump)
      : source_(source), sink_(sink), pump_(std::move(pump)) {}

  Progress Run(uint64_t most) override {
    if (ended_) return Progress::kEnded;
    PumpStop stop = pump_->Move(source_, sink_, most - pump_->read());
    if (auto copying = urgent_ || pump_->at_urgent() ? pump_->MakeCopying() : nullptr) {
      pump_ = std::move(copying);
      pump_->ReadToEnd();
      if (stop == PumpStop::kSourceEmpty) stop = pump_->Move(source_, sink_, most - pump_->read());
    }
    error_ = pump_->error();
    if (pump_->written() == most) return Progress::kSpent;
    switch (stop) {
      case PumpStop::kSourceEmpty:
      case PumpStop::kSinkFull:
        return Progress::kWait;
      case PumpStop::kEnough:
        return Progress::kAgain;
      case PumpStop::kSourceEnded:
        ended_ = true;
        return Progress::kEnded;
      case PumpStop::kSourceError:
        return Progress::kSourceFailed;
      case PumpStop::kSinkError:
        break;
    }
    return Progress::kSinkFailed;
  }

  bool Flush() override {
    if (pump_->held() == 0) return true;
    pump_->Move(source_, sink_, 0);
    return pump_->held() == 0;
  }

  void SourceEnded() override { pump_->ReadToEnd(); }
  void Urgent() override {
    pump_->ReadToEnd();
    urgent_ = true;
  }
  bool ReadsSource() const override { return !ended_; }
  bool WritesSink() const override { return !ended_; }
  uint64_t Forwarded() const override { return pump_->written(); }

 private:
  const int source_, sink_;
  std::unique_ptr<Pump> pump_;
  bool ended_ = false, urgent_ = false;
};

class Mapped : public Direction {
 public:
  Mapped(int source, int sink, std::unique_ptr<Pump> pump, tp_splice_flow* flow, bool redirect)
      : source_(source),
        sink_(sink),
        redirect_(redirect),
        pump_(std::move(pump)),
        flow_(flow),
        queued_before_(QueuedOctets(sink)) {}

  Progress Run(uint64_t most) override {
    if (const uint64_t broken = Load(flow_->broken)) {
      error_ = broken == TP_SPLICE_UNCUT ? ENOMEM : EILSEQ;
      return Progress::kSourceFailed;
    }
    for (int step = 0; step < kSteps; step++) {
      if (done_) return Progress::kEnded;
      if (Forwarded() >= most) return Progress::kSpent;
      const FlowCounts counts = Count();
      switch (NextStep(counts)) {
        case FlowStep::kNone:
          return Progress::kWait;
        case FlowStep::kSettle:
          MakeRoom();
          // It may be there already.
          if (const FlowCounts now = Count(); NextStep(now) == FlowStep::kSettle)
            return Progress::kPoll;
          break;
        case FlowStep::kCopy: {
          Settled();
          const uint64_t before = pump_->read();
          const PumpStop stop = pump_->Move(source_, sink_, most - Redirected() - pump_->read());
          error_ = pump_->error();
          if (stop == PumpStop::kSinkFull) return Progress::kWait;
          if (stop == PumpStop::kSourceError) return Progress::kSourceFailed;
          if (stop == PumpStop::kSinkError) return Progress::kSinkFailed;
          if (stop == PumpStop::kSourceEnded) ended_ = true;
          // What the program has passed can be a little on its way still.
          if (stop != PumpStop::kEnough && pump_->read() == before) return Progress::kPoll;
          break;
        }
        case FlowStep::kRedirect:
          Settled();
          if (!redirect_ || stopped_) return Starve(most);
          if (StartRedirect(counts.passed, most)) return Progress::kWait;
          break;
        case FlowStep::kEnd:
          Settled();
          done_ = true;
          return Progress::kEnded;
      }
    }
    return Progress::kAgain;
  }

  bool Flush() override {
    if (QueuedOctets(sink_) - queued_before_ < Redirected() + pump_->written()) {
      MakeRoom();
      return false;
    }
    if (pump_->held() != 0) pump_->Move(source_, sink_, 0);
    return pump_->held() == 0;
  }

  void ClearSink() override {
    if (settled_ && !Redirecting()) return;
    Store(&flow_->limit, 0);
    MakeRoom();
  }

  void SourceEnded() override { ended_ = true; }

  void OnEvent() override {
    if (!Redirecting() || stopped_) return;
    const uint64_t charge = Load(flow_->charge), redirected = Redirected();
    const uint64_t queued = QueuedOctets(sink_) - queued_before_ - pump_->written();
    const Grant grant = NextGrant(charge, redirected - std::min(queued, redirected),
                                  charge - granted_charge_, redirected - granted_octets_);
    granted_charge_ = charge;
    granted_octets_ = redirected;
    Store(&flow_->limit, grant.limit);
    Store(&flow_->notify, grant.notify);
    if (grant.slow) MakeRoom();
  }

  void Stop() override {
    stopped_ = true;
    Store(&flow_->limit, 0);
  }

  bool ReadsSource() const override { return !done_ && !Redirecting(); }
  bool WritesSink() const override { return !done_ && !Redirecting(); }
  uint64_t Forwarded() const override { return Redirected() + pump_->written(); }
  std::string Counts() override {
    const FlowCounts counts = Count();
    return absl::StrCat(counts.redirecting ? "redirecting, " : "passing, ",
                        counts.ended ? "ended after " : "not ended; ", counts.received,
                        " octets received, ", counts.redirected, " redirected, ", counts.passed,
                        " passed, ", counts.read, " read, ", counts.copied, " copied, ",
                        counts.written, " in the send queue");
  }

 private:
  bool Redirecting() const { return Load(flow_->state) & TP_SPLICE_REDIRECT; }
  uint64_t Redirected() const { return Load(flow_->redirected); }

  FlowCounts Count() {
    const uint64_t state = Load(flow_->state);  // first: what it tells of is in the others then
    FlowCounts counts = {.redirecting = (state & TP_SPLICE_REDIRECT) != 0,
                         .ended = ended_,
                         .received = 0,
                         .redirected = Redirected(),
                         .passed = state & ~TP_SPLICE_REDIRECT,
                         .read = pump_->read(),
                         .copied = pump_->written(),
                         .written = 0};
    if (counts.redirecting) settled_ = false;
    // While it passes, the program redirects nothing: once settled, always settled.
    counts.written =
        settled_ ? counts.redirected + counts.copied : QueuedOctets(sink_) - queued_before_;
    if (ended_) counts.received = ReceivedOctets(source_);
    return counts;
  }

  bool StartRedirect(uint64_t passed, uint64_t most) {
    const uint64_t charge = Load(flow_->charge);
    const Grant grant = NextGrant(charge, 0, 0, 0);
    granted_charge_ = charge;
    granted_octets_ = Redirected();
    Store(&flow_->limit, grant.limit);
    Store(&flow_->octets, most - pump_->written());
    Store(&flow_->notify, grant.notify);
    __u64 expected = passed;
    if (!__atomic_compare_exchange_n(&flow_->state, &expected, passed | TP_SPLICE_REDIRECT, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return false;
    settled_ = false;
    return true;
  }

  // Where the source stays in user space, and nothing is there: reads, so that what the kernel has
  // not shown to the program yet is, and an error or the end is seen.
  Progress Starve(uint64_t most) {
    const PumpStop stop = pump_->Move(source_, sink_, most - Redirected() - pump_->read());
    error_ = pump_->error();
    if (stop == PumpStop::kSourceError) return Progress::kSourceFailed;
    if (stop == PumpStop::kSinkError) return Progress::kSinkFailed;
    if (stop == PumpStop::kEnough) return Progress::kAgain;
    if (stop == PumpStop::kSourceEnded) {
      ended_ = true;
      return Progress::kPoll;
    }
    return Progress::kWait;
  }

  // Lets the sink's send queue take all that the kernel holds for it. Nothing may stay in front of
  // that queue for long: what is passed in the other direction, from the sink, would have to wait
  // behind it.
  void MakeRoom() {
    if (roomy_) return;
    SetSendBuffer(sink_, std::max(kSendQueue / 2, SendQueueOf(sink_).used + kMaxCharge));
    roomy_ = true;
  }

  void Settled() {
    settled_ = true;
    if (roomy_) SetSendBuffer(sink_, kSendQueue / 2);
    roomy_ = false;
  }

  const int source_, sink_;
  const bool redirect_;
  std::unique_ptr<Pump> pump_;
  tp_splice_flow* const flow_;
  const uint64_t queued_before_;
  uint64_t granted_charge_ = 0, granted_octets_ = 0;  // at the last grant
  bool ended_ = false, done_ = false, stopped_ = false;
  bool settled_ = true;  // all that was redirected is in the sink's send queue, and nothing follows
  bool roomy_ = false;   // the send queue was given room for what the kernel holds
};

}  // namespace

std::unique_ptr<Direction> MakePumped(int source, int sink, std::unique_ptr<Pump> pump) {
  return std::make_unique<Pumped>(source, sink, std::move(pump));
}

std::unique_ptr<Direction> MakeMapped(int source, int sink, std::unique_ptr<Pump> pump,
                                      tp_splice_flow* flow, bool redirect) {
  return std::make_unique<Mapped>(source, sink, std::move(pump), flow, redirect);
}

}  // namespace twinpath::splice
