// SPDX-License-Identifier: BSD-3-Clause
// A direction in mode sockmap: the BPF program redirects bytes, and a pump copies the bytes that
// the program passes. Carries out the protocol of flow.h.

#include "src/splice/forward/direction.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/connect/socket.h"
#include "src/splice/forward/flow.h"

namespace twinpath::splice {
namespace {

// The memory that a sink's send queue may use after the sink was slow, because the kernel no
// longer tunes the queue. It is the kernel's default maximum (net.ipv4.tcp_wmem).
constexpr uint64_t kSlowSinkQueue = 4 << 20;
constexpr int kMaxSteps = 16;  // before other connections have a turn

class SockmapDirection : public Direction {
 public:
  SockmapDirection(int source, int sink, std::unique_ptr<Pump> pump, tp_splice_flow* flow,
                   bool redirect)
      : source_(source),
        sink_(sink),
        redirect_(redirect),
        pump_(std::move(pump)),
        flow_(flow),
        queued_before_(QueuedBytes(sink)) {}

  Progress Run(uint64_t limit) override {
    if (const uint64_t error = Load(flow_->error)) {
      error_ = error == TP_SPLICE_UNCUT ? ENOMEM : EILSEQ;
      return Progress::kSourceFailed;
    }
    for (int step = 0; step < kMaxSteps; step++) {
      if (finished_) return Progress::kFinished;
      if (Forwarded() >= limit) return Progress::kLimitReached;
      const FlowCounts counts = Count();
      switch (NextStep(counts)) {
        case FlowStep::kNone:
          return Progress::kWait;
        case FlowStep::kSettle:
          EnlargeSendBuffer();
          // The bytes may have arrived by now.
          if (const FlowCounts now = Count(); NextStep(now) == FlowStep::kSettle)
            return Progress::kPoll;
          break;
        case FlowStep::kCopy: {
          MarkSettled();
          const uint64_t before = pump_->read();
          const PumpStop stop = pump_->Move(source_, sink_, limit - Redirected() - pump_->read());
          error_ = pump_->error();
          if (stop == PumpStop::kSinkFull) return Progress::kWait;
          if (stop == PumpStop::kSourceError) return Progress::kSourceFailed;
          if (stop == PumpStop::kSinkError) return Progress::kSinkFailed;
          if (stop == PumpStop::kSourceEnded) fin_received_ = true;
          // Passed bytes may not be readable yet.
          if (stop != PumpStop::kQuotaUsed && pump_->read() == before) return Progress::kPoll;
          break;
        }
        case FlowStep::kRedirect:
          MarkSettled();
          if (!redirect_ || stopped_) return ReadAhead(limit);
          if (StartRedirect(counts.passed, limit)) return Progress::kWait;
          break;
        case FlowStep::kEnd:
          MarkSettled();
          finished_ = true;
          return Progress::kFinished;
      }
    }
    return Progress::kYield;
  }

  bool Flush() override {
    if (QueuedBytes(sink_) - queued_before_ < Redirected() + pump_->written()) {
      EnlargeSendBuffer();
      return false;
    }
    if (pump_->held() != 0) pump_->Move(source_, sink_, 0);
    return pump_->held() == 0;
  }

  void UnblockSink() override {
    if (settled_ && !Redirecting()) return;
    Store(&flow_->charge_limit, 0);
    EnlargeSendBuffer();
  }

  void OnFin() override { fin_received_ = true; }

  void OnFlowEvent() override {
    if (!Redirecting() || stopped_) return;
    const uint64_t charge = Load(flow_->charge), redirected = Redirected();
    const uint64_t queued = QueuedBytes(sink_) - queued_before_ - pump_->written();
    const Grant grant = NextGrant(charge, redirected - std::min(queued, redirected),
                                  charge - granted_charge_, redirected - granted_bytes_);
    granted_charge_ = charge;
    granted_bytes_ = redirected;
    Store(&flow_->charge_limit, grant.limit);
    Store(&flow_->charge_notify, grant.notify);
    if (grant.slow) EnlargeSendBuffer();
  }

  void Stop() override {
    stopped_ = true;
    Store(&flow_->charge_limit, 0);
  }

  bool WantsReadEvents() const override { return !finished_ && !Redirecting(); }
  bool WantsWriteEvents() const override { return !finished_ && !Redirecting(); }
  uint64_t Forwarded() const override { return Redirected() + pump_->written(); }
  std::string DebugCounts() override {
    const FlowCounts counts = Count();
    return absl::StrCat(counts.redirecting ? "redirecting, " : "passing, ",
                        counts.fin_received ? "ended after " : "not ended; ", counts.received,
                        " bytes received, ", counts.redirected, " redirected, ", counts.passed,
                        " passed, ", counts.read, " read, ", counts.copied, " copied, ",
                        counts.queued, " in the send queue");
  }

 private:
  bool Redirecting() const { return Load(flow_->state) & TP_SPLICE_REDIRECT; }
  uint64_t Redirected() const { return Load(flow_->redirected); }

  FlowCounts Count() {
    const uint64_t state = Load(flow_->state);  // first, so that the counts below include its bytes
    FlowCounts counts = {.redirecting = (state & TP_SPLICE_REDIRECT) != 0,
                         .fin_received = fin_received_,
                         .received = 0,
                         .redirected = Redirected(),
                         .passed = state & ~TP_SPLICE_REDIRECT,
                         .read = pump_->read(),
                         .copied = pump_->written(),
                         .queued = 0};
    if (counts.redirecting) settled_ = false;
    // A flow that passes redirects nothing, so once it has settled it stays settled.
    counts.queued =
        settled_ ? counts.redirected + counts.copied : QueuedBytes(sink_) - queued_before_;
    if (fin_received_) counts.received = ReceivedBytes(source_);
    return counts;
  }

  bool StartRedirect(uint64_t passed, uint64_t limit) {
    const uint64_t charge = Load(flow_->charge);
    const Grant grant = NextGrant(charge, 0, 0, 0);
    granted_charge_ = charge;
    granted_bytes_ = Redirected();
    Store(&flow_->charge_limit, grant.limit);
    Store(&flow_->redirect_limit, limit - pump_->written());
    Store(&flow_->charge_notify, grant.notify);
    __u64 expected = passed;
    if (!__atomic_compare_exchange_n(&flow_->state, &expected, passed | TP_SPLICE_REDIRECT, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return false;
    settled_ = false;
    return true;
  }

  // Reads although nothing was passed, if the flow must not be redirected. The read makes the
  // kernel show new segments to the program, and reports an error or the FIN.
  Progress ReadAhead(uint64_t limit) {
    const PumpStop stop = pump_->Move(source_, sink_, limit - Redirected() - pump_->read());
    error_ = pump_->error();
    if (stop == PumpStop::kSourceError) return Progress::kSourceFailed;
    if (stop == PumpStop::kSinkError) return Progress::kSinkFailed;
    if (stop == PumpStop::kQuotaUsed) return Progress::kYield;
    if (stop == PumpStop::kSourceEnded) {
      fin_received_ = true;
      return Progress::kPoll;
    }
    return Progress::kWait;
  }

  // Lets the sink's send queue take all bytes that the kernel holds for it. Otherwise bytes that
  // the opposite direction passes from the sink would wait behind them.
  void EnlargeSendBuffer() {
    if (enlarged_) return;
    SetSendBuffer(sink_, std::max(kSlowSinkQueue / 2, SendQueueMemory(sink_) + kMaxCharge));
    enlarged_ = true;
  }

  void MarkSettled() {
    settled_ = true;
    if (enlarged_) SetSendBuffer(sink_, kSlowSinkQueue / 2);
    enlarged_ = false;
  }

  const int source_, sink_;
  const bool redirect_;
  std::unique_ptr<Pump> pump_;
  tp_splice_flow* const flow_;
  const uint64_t queued_before_;
  uint64_t granted_charge_ = 0, granted_bytes_ = 0;  // at the last grant
  bool fin_received_ = false, finished_ = false, stopped_ = false;
  bool settled_ = true;    // the sink's send queue has all redirected bytes, and no more follow
  bool enlarged_ = false;  // the send queue has room for all bytes that the kernel holds
};

}  // namespace

std::unique_ptr<Direction> MakeSockmapDirection(int source, int sink, std::unique_ptr<Pump> pump,
                                                tp_splice_flow* flow, bool redirect) {
  return std::make_unique<SockmapDirection>(source, sink, std::move(pump), flow, redirect);
}

}  // namespace twinpath::splice
