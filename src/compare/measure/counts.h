// SPDX-License-Identifier: BSD-3-Clause
// Where the packets of a trial went. Each packet that was sent was received, lost by the policy, or
// dropped at a place that has a name. Pure; any thread.

#ifndef TWINPATH_COMPARE_MEASURE_COUNTS_H_
#define TWINPATH_COMPARE_MEASURE_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace twinpath {

// In the order of a packet's way. kDropPlaces describes them.
enum class DropPlace { kRxRing, kSocket, kNoPort, kTxFull, kTxRing, kEngine };

struct DropPlaceName {
  const char* key;   // in JSON and CSV
  const char* text;  // for people
};
inline constexpr std::array<DropPlaceName, 6> kDropPlaces = {{
    {"rx_ring", "the ring of the receiving interface was full"},
    {"socket", "the engine's socket or its memory was full, or the engine took no more"},
    {"no_port", "the engine could not send it: the port is down, or the frame is too long"},
    {"tx_full", "the engine's transmit queue was full"},
    {"tx_ring", "the ring behind the sending interface was full"},
    {"engine", "inside an engine that has no counters of its own"},
}};

struct TrialCounts {
  uint64_t sent = 0;      // by the generator, whatever became of them
  uint64_t received = 0;  // at the receiver
  uint64_t policy =
      0;  // not forwarded, as the policy wants: lost, denied, malformed, to the kernel
  std::array<uint64_t, kDropPlaces.size()> drops = {};

  uint64_t& drop(DropPlace place) { return drops[static_cast<size_t>(place)]; }
  uint64_t drop(DropPlace place) const { return drops[static_cast<size_t>(place)]; }
  uint64_t dropped() const;
  // Packets that are in no place; negative: packets that were counted and not sent. 0: conserved.
  int64_t unexplained() const;
  // The share of the sent packets that should have been received, and were not; 0 to 1.
  double unintended_loss() const;
};

// What the interfaces and the engine counted during a trial.
struct TrialCounters {
  uint64_t sent = 0;           // by the generator
  uint64_t lan_in = 0;         // frames that the interface lan took from its ring
  uint64_t lan_ring_full = 0;  // frames that did not get into that ring
  uint64_t out_ring_full = 0;  // frames that left by wan and did not get into the receiver's ring
  uint64_t received = 0;       // frames that the receiver's interface took
  // Of the engine; only if `engine_counts`.
  bool engine_counts = false;
  uint64_t engine_in = 0;
  uint64_t lost = 0, denied = 0, malformed = 0, pass = 0, no_port = 0, tx_full = 0;
  // Frames that an engine without these counters drops on purpose (nft's own counter).
  uint64_t dropped_on_purpose = 0;
};

TrialCounts CountsOf(const TrialCounters& counters);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_MEASURE_COUNTS_H_
