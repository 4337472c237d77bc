// SPDX-License-Identifier: BSD-3-Clause
// The lost packets of a stream, and p-values of the hypothesis that the losses are independent with
// the same rate. Pure functions.

#ifndef TWINPATH_TESTS_UNIT_LIB_FATES_H_
#define TWINPATH_TESTS_UNIT_LIB_FATES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace twinpath {

// Bit i of word b: packet 64 * b + i was lost.
using Fates = std::vector<uint64_t>;

uint64_t Lost(const Fates& fates);

// Whether packet number `packet` was lost.
inline bool At(const Fates& fates, size_t packet) { return fates[packet / 64] >> packet % 64 & 1; }

// The p-value of how often x and y lose together at `lag`. They have the same length, and may be
// the same stream. Uses the sum of (x[i] - p)(y[i + lag] - p), which is normal with mean 0 and
// variance N (p(1 - p))^2; or, if few losses coincide, their number, which has a Poisson
// distribution.
double CoincidenceP(const Fates& x, const Fates& y, size_t lag, double p);

// The p-value of the distribution of `lengths`, which are independent and at least 1. The expected
// share of lengths above k is longer(k). By chi-square, with bins wide enough to expect 20 lengths
// in each. 0 if a length is impossible, or if there are fewer than 20.
double LengthsP(std::vector<uint64_t> lengths, const std::function<double(uint64_t)>& longer);

// The p-value of the distances from loss to loss, which should be geometric.
double GapP(const Fates& fates, double p);

// The lengths of the runs of lost (or of received) packets, except the first and the last run,
// which are cut short.
std::vector<uint64_t> RunLengths(const Fates& fates, bool lost);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_FATES_H_
