// SPDX-License-Identifier: BSD-3-Clause
// Those tests of NIST SP 800-22 rev. 1a ("A Statistical Test Suite for Random and Pseudorandom
// Number Generators for Cryptographic Applications", 2010) that need only a few hundred thousand
// bits.

#include "tests/unit/lib/statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

namespace twinpath {
namespace {

double NormalCdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

double Ones(const Bits& bits) {
  uint64_t ones = 0;
  for (uint8_t bit : bits) ones += bit;
  return static_cast<double>(ones);
}

// The number of occurrences of each pattern of `length` bits in the sequence, taken as a ring.
std::vector<double> PatternCounts(const Bits& bits, int length) {
  const size_t mask = (size_t{1} << length) - 1;
  std::vector<double> counts(mask + 1, 0);
  size_t pattern = 0;
  for (int i = 0; i < length - 1; i++) pattern = pattern << 1 | bits[static_cast<size_t>(i)];
  for (size_t i = 0; i < bits.size(); i++) {
    size_t next = i + static_cast<size_t>(length) - 1;
    pattern = (pattern << 1 | bits[next < bits.size() ? next : next - bits.size()]) & mask;
    counts[pattern]++;
  }
  return counts;
}

double Psi(const Bits& bits, int length) {
  if (length <= 0) return 0;
  double sum = 0;
  for (double count : PatternCounts(bits, length)) sum += count * count;
  const double n = static_cast<double>(bits.size());
  return std::ldexp(sum / n, length) - n;
}

double Phi(const Bits& bits, int length) {
  const double n = static_cast<double>(bits.size());
  double sum = 0;
  for (double count : PatternCounts(bits, length)) {
    if (count > 0) sum += count / n * std::log(count / n);
  }
  return sum;
}

int Rank(std::vector<uint32_t> rows) {
  int rank = 0;
  for (uint32_t column = 1; column && rank < 32; column <<= 1) {
    auto pivot = std::find_if(rows.begin() + rank, rows.end(),
                              [column](uint32_t row) { return (row & column) != 0; });
    if (pivot == rows.end()) continue;
    std::swap(*pivot, rows[static_cast<size_t>(rank)]);
    for (size_t i = static_cast<size_t>(rank) + 1; i < rows.size(); i++) {
      if (rows[i] & column) rows[i] ^= rows[static_cast<size_t>(rank)];
    }
    rank++;
  }
  return rank;
}

// In place, radix 2; the size is a power of two.
void Fourier(std::vector<std::complex<double>>* values) {
  auto& v = *values;
  for (size_t i = 1, j = 0; i < v.size(); i++) {
    size_t bit = v.size() >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(v[i], v[j]);
  }
  for (size_t length = 2; length <= v.size(); length <<= 1) {
    std::vector<std::complex<double>> roots(length / 2);
    for (size_t k = 0; k < roots.size(); k++) {
      roots[k] = std::polar(
          1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length));
    }
    for (size_t start = 0; start < v.size(); start += length) {
      for (size_t k = 0; k < length / 2; k++) {
        const std::complex<double> odd = v[start + k + length / 2] * roots[k];
        v[start + k + length / 2] = v[start + k] - odd;
        v[start + k] += odd;
      }
    }
  }
}

}  // namespace

// Uses the series below a + 1, and the continued fraction (modified Lentz) above: Abramowitz and
// Stegun, 6.5.29 and 6.5.31.
double UpperGamma(double a, double x) {
  if (x <= 0) return 1;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  constexpr double kEpsilon = 1e-15;
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double k = a + 1; term > sum * kEpsilon; k++) sum += term *= x / k;
    return 1 - front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
  for (int i = 1; i < 100000; i++) {
    const double numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= d * c;
    if (std::abs(d * c - 1) < kEpsilon) break;
  }
  return front * fraction;
}

double ChiSquareP(double chi_square, double degrees) {
  return UpperGamma(degrees / 2, chi_square / 2);
}

double NormalP(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

double PoissonP(double mean, uint64_t count) {
  const double k = static_cast<double>(count);
  const double at_most = UpperGamma(k + 1, mean);
  const double at_least = count ? 1 - UpperGamma(k, mean) : 1;
  return std::min(1.0, 2 * std::min(at_most, at_least));
}

double Monobit(const Bits& bits) {
  const double n = static_cast<double>(bits.size());
  return NormalP((2 * Ones(bits) - n) / std::sqrt(n));
}

double BlockFrequency(const Bits& bits, size_t block) {
  const size_t blocks = bits.size() / block;
  double chi_square = 0;
  for (size_t i = 0; i < blocks; i++) {
    double ones = 0;
    for (size_t j = 0; j < block; j++) ones += bits[i * block + j];
    const double deviation = ones / static_cast<double>(block) - 0.5;
    chi_square += 4 * static_cast<double>(block) * deviation * deviation;
  }
  return ChiSquareP(chi_square, static_cast<double>(blocks));
}

double Runs(const Bits& bits) {
  const double n = static_cast<double>(bits.size());
  const double share = Ones(bits) / n;
  if (std::abs(share - 0.5) >= 2 / std::sqrt(n)) return 0;
  double runs = 1;
  for (size_t i = 1; i < bits.size(); i++) runs += bits[i] != bits[i - 1];
  const double spread = share * (1 - share);
  return NormalP((runs - 2 * n * spread) / (2 * std::sqrt(n) * spread));
}

double LongestRun(const Bits& bits) {
  constexpr size_t kBlock = 128;
  const double expected[6] = {0.1174035788, 0.242955959, 0.249363483,
                              0.17517706,   0.102701071, 0.112398847};
  const size_t blocks = bits.size() / kBlock;
  double seen[6] = {};
  for (size_t i = 0; i < blocks; i++) {
    int run = 0, longest = 0;
    for (size_t j = 0; j < kBlock; j++) {
      run = bits[i * kBlock + j] ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    seen[std::clamp(longest, 4, 9) - 4]++;
  }
  double chi_square = 0;
  for (int i = 0; i < 6; i++) {
    const double mean = static_cast<double>(blocks) * expected[i];
    chi_square += (seen[i] - mean) * (seen[i] - mean) / mean;
  }
  return ChiSquareP(chi_square, 5);
}

double MatrixRank(const Bits& bits) {
  const double expected[3] = {0.2888, 0.5776, 0.1336};
  const size_t matrices = bits.size() / 1024;
  double seen[3] = {};
  for (size_t i = 0; i < matrices; i++) {
    std::vector<uint32_t> rows(32, 0);
    for (size_t j = 0; j < 1024; j++) rows[j / 32] = rows[j / 32] << 1 | bits[i * 1024 + j];
    seen[std::min(32 - Rank(std::move(rows)), 2)]++;
  }
  double chi_square = 0;
  for (int i = 0; i < 3; i++) {
    const double mean = static_cast<double>(matrices) * expected[i];
    chi_square += (seen[i] - mean) * (seen[i] - mean) / mean;
  }
  return ChiSquareP(chi_square, 2);
}

double Spectral(const Bits& bits) {
  std::vector<std::complex<double>> values(std::bit_floor(bits.size()));
  for (size_t i = 0; i < values.size(); i++) values[i] = bits[i] ? 1 : -1;
  Fourier(&values);
  const double n = static_cast<double>(values.size());
  const double bound = std::log(1 / 0.05) * n;  // of the square
  double below = 0;
  for (size_t i = 0; i < values.size() / 2; i++) below += std::norm(values[i]) < bound;
  return NormalP((below - 0.95 * n / 2) / std::sqrt(n * 0.95 * 0.05 / 4));
}

std::pair<double, double> Serial(const Bits& bits, int length) {
  const double psi0 = Psi(bits, length), psi1 = Psi(bits, length - 1), psi2 = Psi(bits, length - 2);
  return {ChiSquareP(psi0 - psi1, std::ldexp(1, length - 1)),
          ChiSquareP(psi0 - 2 * psi1 + psi2, std::ldexp(1, length - 2))};
}

double ApproximateEntropy(const Bits& bits, int length) {
  const double entropy = Phi(bits, length) - Phi(bits, length + 1);
  const double chi_square = 2 * static_cast<double>(bits.size()) * (std::numbers::ln2 - entropy);
  return ChiSquareP(chi_square, std::ldexp(1, length));
}

double CumulativeSums(const Bits& bits, bool reverse) {
  int sum = 0, farthest = 0;
  for (size_t i = 0; i < bits.size(); i++) {
    sum += bits[reverse ? bits.size() - 1 - i : i] ? 1 : -1;
    farthest = std::max(farthest, std::abs(sum));
  }
  const double n = static_cast<double>(bits.size()), z = farthest, root = std::sqrt(n);
  double p = 1;
  for (double k = std::ceil((-n / z + 1) / 4); k <= std::floor((n / z - 1) / 4); k++)
    p -= NormalCdf((4 * k + 1) * z / root) - NormalCdf((4 * k - 1) * z / root);
  for (double k = std::ceil((-n / z - 3) / 4); k <= std::floor((n / z - 1) / 4); k++)
    p += NormalCdf((4 * k + 3) * z / root) - NormalCdf((4 * k + 1) * z / root);
  return p;
}

std::vector<NamedP> AllTests(const Bits& bits) {
  const auto [serial1, serial2] = Serial(bits);
  const size_t part = std::min(bits.size(), size_t{1} << 15);
  return {
      {"monobit", Monobit(bits)},
      {"block frequency", BlockFrequency(bits)},
      {"runs", Runs(bits)},
      {"longest run of ones", LongestRun(bits)},
      {"matrix rank", MatrixRank(bits)},
      {"spectral", Spectral(Bits(bits.begin(), bits.begin() + static_cast<ptrdiff_t>(part)))},
      {"serial 1", serial1},
      {"serial 2", serial2},
      {"approximate entropy", ApproximateEntropy(bits)},
      {"cumulative sums", CumulativeSums(bits, false)},
      {"cumulative sums, reverse", CumulativeSums(bits, true)},
  };
}

}  // namespace twinpath
