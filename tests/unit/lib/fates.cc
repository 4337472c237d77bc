// SPDX-License-Identifier: BSD-3-Clause
// Statistics of lost packets.

#include "tests/unit/lib/fates.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/unit/lib/statistics.h"

namespace twinpath {

uint64_t Lost(const Fates& fates) {
  uint64_t lost = 0;
  for (uint64_t block : fates) lost += static_cast<uint64_t>(std::popcount(block));
  return lost;
}

double CoincidenceP(const Fates& x, const Fates& y, size_t lag, double p) {
  uint64_t both = 0, x_lost = 0, y_lost = 0;
  const size_t words = x.size() - (lag + 63) / 64;
  for (size_t i = 0; i < words; i++) {
    const size_t at = i + lag / 64;
    uint64_t shifted = y[at];
    if (lag % 64) shifted = y[at] >> lag % 64 | y[at + 1] << (64 - lag % 64);
    both += static_cast<uint64_t>(std::popcount(x[i] & shifted));
    x_lost += static_cast<uint64_t>(std::popcount(x[i]));
    y_lost += static_cast<uint64_t>(std::popcount(shifted));
  }
  const double n = 64.0 * static_cast<double>(words);
  if (n * p * p < 25) return PoissonP(n * p * p, both);
  const double sum =
      static_cast<double>(both) - p * static_cast<double>(x_lost + y_lost) + n * p * p;
  return NormalP(sum / (std::sqrt(n) * p * (1 - p)));
}

double LengthsP(std::vector<uint64_t> lengths, const std::function<double(uint64_t)>& longer) {
  std::sort(lengths.begin(), lengths.end());
  const double n = static_cast<double>(lengths.size());
  if (n < 20 || longer(lengths.back() - 1) <= 0) return 0;
  double chi_square = 0, bins = 0;
  auto next = lengths.begin();
  double above = 1;  // probability of a length above the bins so far
  for (uint64_t length = 1;;) {
    double tail = above;
    while (n * (above - tail) < 20 && tail > 0) tail = longer(length++);
    const bool end = n * tail < 20;
    if (end) tail = 0;
    auto last_in_bin = end ? lengths.end() : std::lower_bound(next, lengths.end(), length);
    const double expected = n * (above - tail);
    const double deviation = static_cast<double>(last_in_bin - next) - expected;
    chi_square += deviation * deviation / expected;
    bins++;
    if (end) break;
    next = last_in_bin;
    above = tail;
  }
  return bins > 1 ? ChiSquareP(chi_square, bins - 1) : 1;  // all lengths are in the only bin
}

double GapP(const Fates& fates, double p) {
  std::vector<uint64_t> gaps;
  uint64_t last = 0;  // packet numbers from 1
  for (size_t i = 0; i < fates.size(); i++) {
    for (uint64_t left = fates[i]; left; left &= left - 1) {
      const uint64_t at = 64 * i + static_cast<uint64_t>(std::countr_zero(left)) + 1;
      gaps.push_back(at - last);
      last = at;
    }
  }
  return LengthsP(std::move(gaps),
                  [p](uint64_t gap) { return std::pow(1 - p, static_cast<double>(gap)); });
}

std::vector<uint64_t> RunLengths(const Fates& fates, bool lost) {
  std::vector<uint64_t> lengths;
  uint64_t length = 0;
  bool first = true, before = false;
  for (size_t packet = 0; packet < 64 * fates.size(); packet++) {
    const bool fate = fates[packet / 64] >> packet % 64 & 1;
    if (packet > 0 && fate != before) {
      if (before == lost && !first) lengths.push_back(length);
      first = false;
      length = 0;
    }
    before = fate;
    length++;
  }
  return lengths;
}

}  // namespace twinpath
