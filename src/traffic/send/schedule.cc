// SPDX-License-Identifier: BSD-3-Clause
// Adds up gaps, and carries what is less than a nanosecond.

#include "src/traffic/send/schedule.h"

#include <cmath>
#include <utility>

#include "bpf/traffic.h"

namespace twinpath {

Schedule::Schedule(Recorded recorded) : recorded_(std::move(recorded)) {
  for (uint64_t& offset : recorded_->offsets)
    offset = static_cast<uint64_t>(static_cast<double>(offset) / recorded_->factor + 0.5);
  const std::vector<uint64_t>& offsets = recorded_->offsets;
  period_ = offsets.size() < 2 ? 0 : offsets.back() + offsets.back() / (offsets.size() - 1);
}

void Schedule::Advance(uint32_t size) {
  if (recorded_.has_value()) {
    if (++at_ == recorded_->offsets.size()) {
      at_ = 0;
      round_ += period_;
    }
    due_ = round_ + recorded_->offsets[at_];
    return;
  }
  if (pace_.unit == RateUnit::kMax) return;
  pending_ += pace_.unit == RateUnit::kPackets ? 1 : (uint64_t{size} + pace_.overhead) * 8;
  if (++in_burst_ < pace_.burst) return;
  in_burst_ = 0;
  AddGap();
  pending_ = 0;
}

void Schedule::AddGap() {
  frames_++;
  if (pace_.poisson) {
    // Between 0 and 1, and never 0.
    const double draw =
        (static_cast<double>(tp_traffic_draw(pace_.seed, frames_, TP_DRAW_GAP) >> 11) + 0.5) *
        0x1p-53;
    const double mean =
        static_cast<double>(pending_) * 1e12 / static_cast<double>(pace_.thousandths);
    fraction_ -= mean * std::log(draw);
    const double whole = std::floor(fraction_);
    fraction_ -= whole;
    due_ += static_cast<uint64_t>(whole);
    return;
  }
  if (pending_ != computed_) {
    const Wide scaled = static_cast<Wide>(pending_) * 1'000'000'000'000U;
    gap_ = static_cast<uint64_t>(scaled / pace_.thousandths);
    gap_rest_ = static_cast<uint64_t>(scaled % pace_.thousandths);
    computed_ = pending_;
  }
  due_ += gap_;
  rest_ += gap_rest_;
  if (rest_ >= pace_.thousandths) {
    rest_ -= pace_.thousandths;
    due_++;
  }
}

}  // namespace twinpath
