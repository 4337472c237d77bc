// SPDX-License-Identifier: BSD-3-Clause
// Which packets of a stream were lost, and how likely independent losses at a rate look so odd.
// Pure functions.

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

// The p-value of x and y (of one length; the same stream, or another) being lost together at `lag`:
// of the sum of (x[i] - p)(y[i + lag] - p), normal with mean 0 and variance N (p(1 - p))^2; or,
// where hardly any coincide, of their number, which is Poisson's.
double CoincidenceP(const Fates& x, const Fates& y, size_t lag, double p);

// The p-value of `lengths`, which are independent and 1 or more, being distributed so that a share
// of longer(k) is longer than k: by chi-square, each bin as wide as it takes to expect 20 in it. 0
// where a length is impossible, or where there are less than 20.
double LengthsP(std::vector<uint64_t> lengths, const std::function<double(uint64_t)>& longer);

// The p-value of the gaps between losses being geometric: of the distances from loss to loss.
double GapP(const Fates& fates, double p);

// How many packets in a row were lost (or were not), run by run, but for the first and the last
// run, which are cut short.
std::vector<uint64_t> RunLengths(const Fates& fates, bool lost);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_FATES_H_
