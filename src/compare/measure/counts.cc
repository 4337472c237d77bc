// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/measure/counts.h"

#include <algorithm>

namespace twinpath {

uint64_t TrialCounts::dropped() const {
  uint64_t sum = 0;
  for (uint64_t drop : drops) sum += drop;
  return sum;
}

int64_t TrialCounts::unexplained() const {
  return static_cast<int64_t>(sent) - static_cast<int64_t>(received + policy + dropped());
}

double TrialCounts::unintended_loss() const {
  if (sent == 0) return 0;
  const uint64_t accounted = std::min(sent, received + policy);
  return static_cast<double>(sent - accounted) / static_cast<double>(sent);
}

TrialCounts CountsOf(const TrialCounters& c) {
  TrialCounts counts;
  counts.sent = c.sent;
  counts.received = c.received;
  counts.drop(DropPlace::kRxRing) = c.lan_ring_full;
  counts.drop(DropPlace::kTxRing) = c.out_ring_full;
  const auto less = [](uint64_t a, uint64_t b) { return a > b ? a - b : 0; };
  if (c.engine_counts) {
    counts.policy = c.lost + c.denied + c.malformed + c.pass;
    counts.drop(DropPlace::kSocket) = less(c.lan_in, c.engine_in);
    counts.drop(DropPlace::kNoPort) = c.no_port;
    counts.drop(DropPlace::kTxFull) = c.tx_full;
  } else {
    counts.policy = c.dropped_on_purpose;
    counts.drop(DropPlace::kEngine) =
        less(c.lan_in, c.received + c.out_ring_full + c.dropped_on_purpose);
  }
  return counts;
}

}  // namespace twinpath
