// SPDX-License-Identifier: BSD-3-Clause
// Reads the kernel's clocks and the cycle counter.

#include "src/kernel/clock.h"

#include <time.h>

#include <algorithm>

namespace twinpath {
namespace {

constexpr int kReadings = 8;                 // of which the shortest is used
constexpr uint64_t kFirstInterval = 50'000;  // nanoseconds between the first observations

uint64_t Nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t CoarseNow() { return Nanoseconds(CLOCK_MONOTONIC_COARSE); }

uint64_t MonotonicNow() { return Nanoseconds(CLOCK_MONOTONIC); }

void CycleScale::Observe(uint64_t cycles, uint64_t ns) {
  if (observations_++ == 0) {
    first_cycles_ = cycles;
  } else if (cycles > cycles_ && ns > ns_) {
    rate_ = static_cast<uint64_t>((Wide{ns - ns_} << 32) / (cycles - cycles_));
    const auto longest = static_cast<uint64_t>((Wide{kLongest} << 32) / (rate_ + 1));
    due_ = cycles + std::min(cycles - first_cycles_, longest);
  }
  cycles_ = cycles;
  ns_ = ns;
}

NanosecondClock::NanosecondClock() {
  Observe();
  const uint64_t from = MonotonicNow();
  while (MonotonicNow() - from < kFirstInterval) {
  }
  Observe();
}

// Reads the kernel's clock between two readings of the counter, several times, and uses the
// shortest pair, because an interrupt makes a pair longer.
void NanosecondClock::Observe() {
  uint64_t shortest = ~uint64_t{0}, cycles = 0, ns = 0;
  for (int i = 0; i < kReadings; i++) {
    const uint64_t before = Cycles(), now = MonotonicNow(), after = Cycles();
    if (after - before >= shortest) continue;
    shortest = after - before;
    cycles = before + shortest / 2;
    ns = now;
  }
  scale_.Observe(cycles, ns);
}

}  // namespace twinpath
