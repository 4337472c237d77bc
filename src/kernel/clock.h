// SPDX-License-Identifier: BSD-3-Clause
// The coarse monotonic clock, which both paths read for a policy's conditions. Any thread.

#ifndef TWINPATH_KERNEL_CLOCK_H_
#define TWINPATH_KERNEL_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace twinpath {

// Nanoseconds of CLOCK_MONOTONIC_COARSE: the clock that BPF programs read
// (bpf_ktime_get_coarse_ns). It advances by one kernel tick at a time, 1 to 10 ms.
inline uint64_t CoarseNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_CLOCK_H_
