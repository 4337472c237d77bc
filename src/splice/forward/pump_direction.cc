// SPDX-License-Identifier: BSD-3-Clause
// A direction in user space: a pump moves the bytes.

#include "src/splice/forward/direction.h"

#include <utility>

namespace twinpath::splice {
namespace {

class PumpDirection : public Direction {
 public:
  PumpDirection(int source, int sink, std::unique_ptr<Pump> pump)
      : source_(source), sink_(sink), pump_(std::move(pump)) {}

  Progress Run(uint64_t limit) override {
    if (ended_) return Progress::kFinished;
    PumpStop stop = pump_->Move(source_, sink_, limit - pump_->read());
    if (auto copying = urgent_ || pump_->at_urgent() ? pump_->MakeCopying() : nullptr) {
      pump_ = std::move(copying);
      pump_->ReadToEnd();
      if (stop == PumpStop::kSourceEmpty) stop = pump_->Move(source_, sink_, limit - pump_->read());
    }
    error_ = pump_->error();
    if (pump_->written() == limit) return Progress::kLimitReached;
    switch (stop) {
      case PumpStop::kSourceEmpty:
      case PumpStop::kSinkFull:
        return Progress::kWait;
      case PumpStop::kQuotaUsed:
        return Progress::kYield;
      case PumpStop::kSourceEnded:
        ended_ = true;
        return Progress::kFinished;
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

  void OnFin() override { pump_->ReadToEnd(); }
  void OnUrgent() override {
    pump_->ReadToEnd();
    urgent_ = true;
  }
  bool WantsReadEvents() const override { return !ended_; }
  bool WantsWriteEvents() const override { return !ended_; }
  uint64_t Forwarded() const override { return pump_->written(); }

 private:
  const int source_, sink_;
  std::unique_ptr<Pump> pump_;
  bool ended_ = false, urgent_ = false;
};

}  // namespace

std::unique_ptr<Direction> MakePumpDirection(int source, int sink, std::unique_ptr<Pump> pump) {
  return std::make_unique<PumpDirection>(source, sink, std::move(pump));
}

}  // namespace twinpath::splice
