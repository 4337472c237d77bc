// SPDX-License-Identifier: BSD-3-Clause
// A loss model as a Markov chain that is written down a second time, from its definition, with what
// follows from it: rate, variance over a stream, lengths of bursts and gaps. In double precision,
// for tests. Plain values; pure functions.

#ifndef TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_
#define TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_

#include <array>
#include <cstddef>
#include <vector>

namespace twinpath {

// A packet that finds the chain in state i is lost with probability loss[i]; then the chain goes to
// j with probability to[i][j]. It begins in state 0 for good, so that a state that is never left
// takes it in.
struct ModelChain {
  static constexpr size_t kStates = 4;
  using Vector = std::array<double, kStates>;
  std::array<Vector, kStates> to = {};
  Vector loss = {};
};

ModelChain RandomChain(double rate);
ModelChain CorrelatedChain(double rate, double correlation);
ModelChain GilbertElliottChain(double p, double r, double loss_bad, double loss_good);
// State i is Salsano's i + 1.
ModelChain FourStateChain(double p13, double p31, double p32, double p23, double p14);

// The share of packets that are lost in the long run.
double RateOf(const ModelChain& chain);

// The standard deviation of how many of `packets` are lost, with all covariances between them.
double DeviationOf(const ModelChain& chain, size_t packets);

// Of bursts (packets lost in a row; gaps, where not `lost`): element k is the probability of more
// than k, to where it vanishes. Empty where there are none, or where one never ends.
std::vector<double> LengthsOf(const ModelChain& chain, bool lost);

// Each so many bursts, one is independent of the last one looked at but for 1e-4; 0: none ever is.
// The state in which a burst begins hangs on how the last one ended.
size_t IndependentBurst(const ModelChain& chain);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_
