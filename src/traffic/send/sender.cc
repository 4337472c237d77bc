// SPDX-License-Identifier: BSD-3-Clause
// Waits for frames to be due: sleeps while that is far off, and then polls the cycle counter.

#include "src/traffic/send/sender.h"

#include <time.h>

#include <algorithm>

#include "src/kernel/clock.h"

namespace twinpath {
namespace {

constexpr uint64_t kLook = 2'000'000;        // ns between two looks at `stopped`
constexpr uint64_t kSpin = 100'000;          // a shorter wait polls: a sleep may last 60 us longer
constexpr uint64_t kLongestNap = 5'000'000;  // ns
constexpr uint64_t kGrace = 10'000'000;      // ns that the last frames of a duration may be late

void Nap(uint64_t ns) {
  const timespec time = {.tv_sec = 0, .tv_nsec = static_cast<long>(ns)};
  nanosleep(&time, nullptr);
}

class Run {
 public:
  Run(const FrameSource& source, Schedule schedule, const SendLimits& limits, Sender* sender)
      : source_(source), schedule_(std::move(schedule)), limits_(limits), sender_(sender) {}

  SendResult Go() {
    start_ = clock_.Now();
    for (;;) {
      Look();
      if (result_.stopped || now_ >= Until(kGrace)) break;
      Admit();
      if (admitted_ == result_.packets) {
        if (Finished()) break;
        Wait();
        continue;
      }
      const uint32_t owed = static_cast<uint32_t>(admitted_ - result_.packets);
      auto taken = sender_->Send(owed);
      now_ = clock_.Now() - start_;
      if (!taken.ok()) {
        result_.failure = taken.status();
        break;
      }
      if (*taken < owed) result_.full++;
      if (*taken > 0 && schedule_.due() > 0)
        result_.latest = std::max(result_.latest, now_ - std::min(now_, owed_since_));
      for (uint32_t i = 0; i < *taken; i++) result_.bytes += source_.Size(result_.packets + i);
      result_.packets += *taken;
    }
    const uint64_t due = std::min(schedule_.due(), limits_.duration.value_or(UINT64_MAX));
    const bool early = result_.stopped || !result_.failure.ok();
    result_.elapsed = early ? now_ : std::max(now_, due);
    result_.dropped = std::min(sender_->dropped(), result_.packets);
    return result_;
  }

 private:
  // The end of the duration, and `more` where frames have a schedule.
  uint64_t Until(uint64_t more) const {
    if (!limits_.duration.has_value()) return UINT64_MAX;
    return *limits_.duration + (schedule_.due() == 0 ? 0 : more);
  }

  void Look() {
    now_ = clock_.Now() - start_;
    if (now_ < looked_ + kLook) return;
    looked_ = now_;
    clock_.Correct();
    if (limits_.stopped && limits_.stopped()) result_.stopped = true;
  }

  bool Finished() const {
    return (limits_.packets.has_value() && admitted_ >= *limits_.packets) ||
           (limits_.duration.has_value() && schedule_.due() >= *limits_.duration);
  }

  // Counts the frames that are due, as many as the sender takes at once.
  void Admit() {
    if (admitted_ == result_.packets) owed_since_ = schedule_.due();
    while (admitted_ - result_.packets < sender_->most() && schedule_.due() <= now_ &&
           !Finished()) {
      schedule_.Advance(source_.Size(admitted_));
      admitted_++;
    }
    if (schedule_.due() == 0) owed_since_ = now_;  // no schedule, or its first frames
  }

  void Wait() {
    const uint64_t due = schedule_.due();
    if (due <= now_ + kSpin) return;
    Nap(std::min(due - now_ - kSpin, kLongestNap));
  }

  const FrameSource& source_;
  Schedule schedule_;
  const SendLimits& limits_;
  Sender* sender_;
  NanosecondClock clock_;
  SendResult result_;
  uint64_t start_ = 0, now_ = 0, looked_ = 0;  // now_ and looked_: since start_
  uint64_t admitted_ = 0;                      // frames that were due so far
  uint64_t owed_since_ = 0;  // when the first of them that is not sent yet was due
};

}  // namespace

SendResult RunSender(const FrameSource& source, Schedule schedule, const SendLimits& limits,
                     Sender* sender) {
  return Run(source, std::move(schedule), limits, sender).Go();
}

}  // namespace twinpath
