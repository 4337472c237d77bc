// SPDX-License-Identifier: BSD-3-Clause
// An independent implementation of the loss models as Markov chains, from their definitions: rate,
// variance over a stream, lengths of bursts and gaps. In double precision, for tests. Plain values;
// pure functions.

#ifndef TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_
#define TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_

#include <array>
#include <cstddef>
#include <vector>

namespace twinpath {

// A packet in state i is lost with probability loss[i]. Then the chain goes to state j with
// probability to[i][j]. The chain starts in state 0, so a state that it never leaves absorbs it.
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

// The share of lost packets in the long run.
double RateOf(const ModelChain& chain);

// The standard deviation of the number of lost packets among `packets`, including all covariances.
double DeviationOf(const ModelChain& chain, size_t packets);

// The lengths of bursts, or of gaps if not `lost`: element k is the probability of more than k
// packets, up to where it vanishes. Empty if there are none, or if one never ends.
std::vector<double> LengthsOf(const ModelChain& chain, bool lost);

// Returns the distance at which the dependence of two bursts is less than 1e-4; 0: it never is. The
// state in which a burst begins depends on how the previous one ended.
size_t IndependentBurst(const ModelChain& chain);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_MODEL_CHAIN_H_
