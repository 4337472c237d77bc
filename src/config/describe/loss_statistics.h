// SPDX-License-Identifier: BSD-3-Clause
// The long-run loss of a rule, by its model's closed form. For people: it is computed in floating
// point, and no decision uses it. Pure functions.

#ifndef TWINPATH_CONFIG_DESCRIBE_LOSS_STATISTICS_H_
#define TWINPATH_CONFIG_DESCRIBE_LOSS_STATISTICS_H_

#include <cstdint>

#include "src/config/policy/loss_spec.h"

namespace twinpath {

struct LossStatistics {
  double rate = 0;  // the share of a stream's packets that is lost, 0 to 1; both ends are exact

  // Packets lost in a row, on average: 0 if none is lost, infinity if losses never end.
  double mean_burst = 0;

  // If not 0: `rate` is that of a stream's first `packets` packets, and no later packet is lost.
  uint64_t packets = 0;
};

// Statistics of a stream in its stationary state. In every model the mean burst is
// rate / (rate - P(lost, and the next lost, too)): each burst has one loss that a received packet
// follows. The models, and their rates:
// - random: rate; bursts of 1 / (1 - rate).
// - correlated: the chain of two states that loses `rate` and correlates neighbors by c; bursts of
//   1 / ((1 - rate)(1 - c)).
// - gilbert_elliott (E. N. Gilbert: "Capacity of a burst-noise channel", Bell System Technical
//   Journal 39, 1960; E. O. Elliott: "Estimates of error rates for codes on burst-noise channels",
//   ibid. 42, 1963): bad for p / (p + r) of the time; each state has its own loss probability.
// - four_state (S. Salsano, F. Ludovici, A. Ordine, D. Giannuzzi: "Definition of a general and
//   intuitive loss model for packet networks and its implementation in the Netem module in the
//   Linux kernel", 2012): the chain of 1 (received, gap), 2 (received in a burst), 3 (lost in a
//   burst) and 4 (lost alone, then 1), which loses s3 + s4. By its balance
//   s3 p31 = s1 p13, s2 p23 = s3 p32 and s4 = s1 p14.
// - periodic: burst / every, in bursts of burst.
// - sequence: the number of listed packets over `repeat`, or without `repeat` over the packets up
// to
//   the last listed one.
// If a chain reaches a state that it cannot leave, the statistics are those of that state.
LossStatistics StatisticsOf(const LossSpec& loss);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_DESCRIBE_LOSS_STATISTICS_H_
