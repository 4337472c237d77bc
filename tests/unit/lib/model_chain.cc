// SPDX-License-Identifier: BSD-3-Clause
// Computes with powers of matrices. The lengths of a hidden Markov model's bursts follow from the
// powers of its matrix, restricted to lost packets (for gaps: to received ones).

#include "tests/unit/lib/model_chain.h"

#include <cmath>
#include <numeric>

namespace twinpath {
namespace {

using Vector = ModelChain::Vector;
using Matrix = std::array<Vector, ModelChain::kStates>;
constexpr size_t kStates = ModelChain::kStates;

double Sum(const Vector& v) { return std::accumulate(v.begin(), v.end(), 0.0); }

Vector Times(const Vector& row, const Matrix& m) {
  Vector result = {};
  for (size_t i = 0; i < kStates; i++)
    for (size_t j = 0; j < kStates; j++) result[j] += row[i] * m[i][j];
  return result;
}

// The part whose packet is lost, or received.
Vector Part(const ModelChain& chain, Vector v, bool lost) {
  for (size_t i = 0; i < kStates; i++) v[i] *= lost ? chain.loss[i] : 1 - chain.loss[i];
  return v;
}

// The stationary distribution: a high power of the chain, mixed with the identity because the chain
// may alternate.
Vector Stationary(const ModelChain& chain) {
  Matrix m = chain.to;
  for (size_t i = 0; i < kStates; i++) {
    for (size_t j = 0; j < kStates; j++) m[i][j] = (m[i][j] + (i == j)) / 2;
  }
  for (int doubling = 0; doubling < 50; doubling++) {
    Matrix square;
    for (size_t i = 0; i < kStates; i++) {
      square[i] = Times(m[i], m);
      const double sum = Sum(square[i]);  // 1, except for the rounding errors of 50 squarings
      for (double& x : square[i]) x /= sum;
    }
    m = square;
  }
  return m[0];
}

// The distribution of the state at the first packet of a burst (or gap).
Vector Begins(const ModelChain& chain, bool lost) {
  return Part(chain, Times(Part(chain, Stationary(chain), !lost), chain.to), lost);
}

// From the state at the start of a burst (or gap) to the state at the start of the next gap (or
// burst).
Vector After(const ModelChain& chain, Vector v, bool lost) {
  Vector ended = {};
  for (int i = 0; i < 1000000 && Sum(v) > 1e-9; i++) {
    const Vector next = Times(v, chain.to), ends = Part(chain, next, !lost);
    for (size_t s = 0; s < kStates; s++) ended[s] += ends[s];
    v = Part(chain, next, lost);
  }
  return ended;
}

}  // namespace

ModelChain RandomChain(double rate) {
  ModelChain chain;
  for (Vector& row : chain.to) row = {1, 0, 0, 0};
  chain.loss[0] = rate;
  return chain;
}

// With probability `correlation` the fate of the previous packet, else a new draw.
ModelChain CorrelatedChain(double rate, double correlation) {
  const double own = 1 - correlation;
  ModelChain chain = RandomChain(0);
  chain.to[0] = {correlation + own * (1 - rate), own * rate, 0, 0};
  chain.to[1] = {own * (1 - rate), correlation + own * rate, 0, 0};
  chain.loss = {0, 1, 0, 0};
  return chain;
}

ModelChain GilbertElliottChain(double p, double r, double loss_bad, double loss_good) {
  ModelChain chain = RandomChain(0);
  chain.to[0] = {1 - p, p, 0, 0};
  chain.to[1] = {r, 1 - r, 0, 0};
  chain.loss = {loss_good, loss_bad, 0, 0};
  return chain;
}

ModelChain FourStateChain(double p13, double p31, double p32, double p23, double p14) {
  ModelChain chain;
  chain.to[0] = {1 - p13 - p14, 0, p13, p14};
  chain.to[1] = {0, 1 - p23, p23, 0};
  chain.to[2] = {p31, p32, 1 - p31 - p32, 0};
  chain.to[3] = {1, 0, 0, 0};
  chain.loss = {0, 0, 1, 1};
  return chain;
}

double RateOf(const ModelChain& chain) { return Sum(Part(chain, Stationary(chain), true)); }

double DeviationOf(const ModelChain& chain, size_t packets) {
  const Vector stationary = Stationary(chain);
  const double n = static_cast<double>(packets), rate = RateOf(chain);
  // Row: the distribution of the state k packets after a lost packet.
  Vector row = Part(chain, stationary, true);
  double variance = n * rate * (1 - rate);
  for (size_t k = 1, quiet = 0; k < packets && quiet < 64; k++) {
    row = Times(row, chain.to);
    const double covariance = Sum(Part(chain, row, true)) - rate * rate;
    variance += 2 * (n - static_cast<double>(k)) * covariance;
    quiet = std::abs(covariance) < 1e-13 ? quiet + 1 : 0;
  }
  return std::sqrt(std::max(variance, 0.0));
}

std::vector<double> LengthsOf(const ModelChain& chain, bool lost) {
  Vector v = Begins(chain, lost);
  const double all = Sum(v);
  std::vector<double> longer;
  if (all < 1e-12) return longer;
  for (double left = 1; left > 1e-12;) {
    if (longer.size() == 1000000) return {};
    longer.push_back(left);
    v = Part(chain, Times(v, chain.to), lost);
    left = Sum(v) / all;
  }
  longer.push_back(0);
  return longer;
}

size_t IndependentBurst(const ModelChain& chain) {
  Vector all = Begins(chain, true);
  const double sum = Sum(all);
  for (double& x : all) x /= sum;
  Matrix after = {};  // row i: from a burst that began in i
  for (size_t i = 0; i < kStates; i++) after[i][i] = 1;
  for (size_t bursts = 1; bursts <= 200; bursts++) {
    double most = 0;
    for (size_t i = 0; i < kStates; i++) {
      if (all[i] < 1e-12) continue;
      after[i] = After(chain, After(chain, after[i], true), false);
      double distance = 0;
      for (size_t j = 0; j < kStates; j++) distance += std::abs(after[i][j] - all[j]) / 2;
      most = std::max(most, distance);
    }
    if (most < 1e-4) return bursts;
  }
  return 0;
}

}  // namespace twinpath
