// SPDX-License-Identifier: BSD-3-Clause
// Compares correlated loss with that of tc-netem in one table: the measured rate for each
// configured rate, over a million packets. The table is in dpdk-conf/policies/README.md.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <iostream>

#include "absl/strings/str_format.h"
#include "tests/unit/lib/host_tables.h"
#include "tests/unit/lib/model_chain.h"

namespace twinpath {
namespace {

constexpr size_t kBlocks = 15625;  // of 64 packets: a million
constexpr size_t kPackets = 64 * kBlocks;

// tc-netem(8), LOSS: each draw is a weighted mean of the previous draw (weight `correlation`) and a
// new one.
double NetemsRate(double rate, double correlation) {
  double draw = 0.5;
  uint64_t lost = 0;
  for (uint64_t n = 0; n < kPackets; n++) {
    const double fresh = std::ldexp(static_cast<double>(tp_word(7, 7, n) >> 11), -53);
    draw = correlation * draw + (1 - correlation) * fresh;
    lost += draw < rate;
  }
  return static_cast<double>(lost) / kPackets;
}

double Ours(double rate, double correlation, double* neighbours) {
  HostTables tables(CompileText(absl::StrFormat(
      R"({"version": 1, "seed": 7, "default": {"loss":
          {"model": "correlated", "rate": %g, "correlation": %g}}})",
      rate, correlation)));
  HostQueue queue(tables);
  uint64_t lost = 0, both = 0, last = 0;
  for (size_t n = 0; n < kPackets; n++) {
    const uint64_t fate = static_cast<uint64_t>(queue.Lose());
    lost += fate;
    both += fate & last;
    last = fate;
  }
  const double share = static_cast<double>(lost) / kPackets;
  *neighbours = (static_cast<double>(both) / kPackets - share * share) / (share * (1 - share));
  return share;
}

TEST(Correlated, LosesTheRateThatWasAskedForWhereNetemDoesNot) {
  std::cout << "| asked | correlation | netem's formula | Twinpath | neighbours' correlation |\n"
               "|---|---|---|---|---|\n";
  for (double rate : {0.01, 0.1, 0.3, 0.5, 0.8}) {
    for (double correlation : {0.25, 0.5, 0.9}) {
      double neighbours = 0;
      const double netem = NetemsRate(rate, correlation);
      const double ours = Ours(rate, correlation, &neighbours);
      std::cout << absl::StrFormat("| %g %% | %g %% | %.3f %% | %.3f %% | %.1f %% |\n", 100 * rate,
                                   100 * correlation, 100 * netem, 100 * ours, 100 * neighbours);
      const double deviation = DeviationOf(CorrelatedChain(rate, correlation), kPackets) / kPackets;
      EXPECT_LT(std::abs(ours - rate), 3.9 * deviation);
      EXPECT_NEAR(neighbours, correlation, 0.03);
      // Averaged draws are rarely near 0 or 1.
      if (rate < 0.5) {
        EXPECT_LT(netem, 0.9 * rate);
      }
      if (rate > 0.5) {
        EXPECT_GT(netem, 1.01 * rate);
      }
    }
  }
}

}  // namespace
}  // namespace twinpath
