// SPDX-License-Identifier: BSD-3-Clause
// Cheap clocks in nanoseconds of CLOCK_MONOTONIC: CoarseNow ticks every few milliseconds;
// NanosecondClock counts the processor's cycles (the TSC on x86-64, CNTVCT on arm64).

#ifndef TWINPATH_KERNEL_CLOCK_H_
#define TWINPATH_KERNEL_CLOCK_H_

#include <cstdint>

namespace twinpath {

// Nanoseconds of CLOCK_MONOTONIC_COARSE, the clock of rules' conditions, and of CLOCK_MONOTONIC.
// Neither jumps. Any thread.
uint64_t CoarseNow();
uint64_t MonotonicNow();

// Maps counts of cycles to nanoseconds of another clock, from observations of both at the same
// moments. Pure: the counts are arguments. The result never decreases: if the scale was ahead of
// the other clock, the result stays constant until that clock catches up. One thread.
class CycleScale {
 public:
  // Adds an observation: `cycles` and `ns` at the same moment. The first two set up the scale. Each
  // later one corrects the drift, and sets the rate to the one since the previous observation.
  void Observe(uint64_t cycles, uint64_t ns);

  // The nanoseconds at `cycles`.
  uint64_t At(uint64_t cycles) {
    const uint64_t since = cycles > cycles_ ? cycles - cycles_ : 0;
    const uint64_t ns = ns_ + static_cast<uint64_t>(static_cast<Wide>(since) * rate_ >> 32);
    return last_ = ns > last_ ? ns : last_;
  }

  // Whether the next observation is due. The intervals double up to kLongest, so each interval
  // multiplies the error of a reading only a few times.
  bool Due(uint64_t cycles) const { return cycles >= due_; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr uint64_t kLongest = 250'000'000;  // nanoseconds

  uint64_t first_cycles_ = 0;
  uint64_t cycles_ = 0, ns_ = 0;  // the last observation
  uint64_t rate_ = 0;             // nanoseconds per cycle, times 2^32
  uint64_t due_ = 0;
  uint64_t last_ = 0;  // the highest result
  int observations_ = 0;
};

// Nanoseconds of CLOCK_MONOTONIC without a system call: exact to about a microsecond, and never
// backwards. One thread.
class NanosecondClock {
 public:
  // Takes about 50 us, for the first two observations.
  NanosecondClock();

  uint64_t Now() { return scale_.At(Cycles()); }

  // Compares with the kernel's clock if that is due. Call it at least once per second.
  void Correct() {
    if (scale_.Due(Cycles())) Observe();
  }

 private:
  static uint64_t Cycles();
  void Observe();

  CycleScale scale_;
};

// The processor's cycle counter; on other processors, nanoseconds of CLOCK_MONOTONIC.
inline uint64_t NanosecondClock::Cycles() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t cycles;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
  return cycles;
#else
  return MonotonicNow();
#endif
}

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_CLOCK_H_
