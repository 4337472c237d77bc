// SPDX-License-Identifier: BSD-3-Clause
// When each frame is due: a rate in packets or bits a second, with constant or Poisson gaps, one by
// one or in bursts; or as a capture recorded it. Integers, so that a rate does not drift however
// long it runs. Pure; one thread.
//
//   Schedule schedule({.unit = RateUnit::kPackets, .thousandths = 1'000'000'000});
//   for (n = 0; ; n++) { ... at schedule.due() ...; schedule.Advance(size); }

#ifndef TWINPATH_TRAFFIC_SEND_SCHEDULE_H_
#define TWINPATH_TRAFFIC_SEND_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace twinpath {

enum class RateUnit { kMax, kPackets, kBits };

// Bytes of a frame beside those in memory: its FCS; and on the wire, preamble and gap, too.
inline constexpr uint32_t kLayer2Overhead = 4, kLayer1Overhead = 24;

struct Pace {
  RateUnit unit = RateUnit::kMax;
  uint64_t thousandths = 0;  // of a packet or a bit, a second
  uint32_t overhead = kLayer2Overhead;
  uint32_t burst = 1;  // frames that are due at once
  bool poisson = false;
  uint64_t seed = 1;
};

// When the frames of a capture are due.
struct Recorded {
  std::vector<uint64_t> offsets;  // in nanoseconds from the first frame; not empty; ascending
  double factor = 1;              // 2: twice as fast
};

class Schedule {
 public:
  explicit Schedule(const Pace& pace) : pace_(pace) {}
  // After the last frame the capture begins again, a mean gap later.
  explicit Schedule(Recorded recorded);

  // When the next frame is due, in nanoseconds after the start; always 0 for RateUnit::kMax.
  uint64_t due() const { return due_; }
  // The next frame has `size` bytes.
  void Advance(uint32_t size);

 private:
  __extension__ using Wide = unsigned __int128;
  void AddGap();

  Pace pace_;
  std::optional<Recorded> recorded_;
  uint64_t due_ = 0;
  uint64_t frames_ = 0;
  // Packets or bits of the present burst, and those for which `gap_` was computed.
  uint64_t pending_ = 0, computed_ = 0;
  uint64_t gap_ = 0, gap_rest_ = 0;  // whole nanoseconds, and the rest in 1 / thousandths of them
  uint64_t rest_ = 0;
  double fraction_ = 0;  // of a nanosecond, of Poisson gaps
  uint32_t in_burst_ = 0;
  size_t at_ = 0;        // in the capture
  uint64_t round_ = 0;   // when the capture began the last time
  uint64_t period_ = 0;  // of the capture
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_SEND_SCHEDULE_H_
