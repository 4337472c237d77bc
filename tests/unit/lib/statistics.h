// SPDX-License-Identifier: BSD-3-Clause
// Statistics for tests of randomness: p-values of counts, of chi-squares, and of the tests of NIST
// SP 800-22 rev. 1a. A p-value is the probability that true randomness looks at least as odd. Pure
// functions.

#ifndef TWINPATH_TESTS_UNIT_LIB_STATISTICS_H_
#define TWINPATH_TESTS_UNIT_LIB_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace twinpath {

// The regularized upper incomplete gamma function Q(a, x), a > 0, x >= 0, to about 1e-12.
double UpperGamma(double a, double x);

double ChiSquareP(double chi_square, double degrees);
double NormalP(double z);                      // two-sided
double PoissonP(double mean, uint64_t count);  // two-sided

// Bits, one in each byte: 0 or 1.
using Bits = std::vector<uint8_t>;

// The sections of SP 800-22 are given. The default lengths of blocks and patterns are those
// recommended there for n = 2^18.
double Monobit(const Bits& bits);                                     // 2.1
double BlockFrequency(const Bits& bits, size_t block = 4096);         // 2.2
double Runs(const Bits& bits);                                        // 2.3
double LongestRun(const Bits& bits);                                  // 2.4, 6272 <= n < 750000
double MatrixRank(const Bits& bits);                                  // 2.5, 32 x 32
double Spectral(const Bits& bits);                                    // 2.6, the first 2^k bits
std::pair<double, double> Serial(const Bits& bits, int length = 12);  // 2.11
double ApproximateEntropy(const Bits& bits, int length = 10);         // 2.12
double CumulativeSums(const Bits& bits, bool reverse);                // 2.13

struct NamedP {
  std::string test;
  double p;
};
// All of the above.
std::vector<NamedP> AllTests(const Bits& bits);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_STATISTICS_H_
