// SPDX-License-Identifier: BSD-3-Clause
// Published statistical tests of the random function: NIST SP 800-22 rev. 1a, sections 2.1 to 2.6
// and 2.11 to 2.13 (monobit, block frequency, runs, longest run of ones, 32 x 32 matrix rank,
// spectral, serial, approximate entropy, cumulative sums), on 100 sequences of 2^18 bits of each
// source below.
//
// Acceptance is as in section 4.2 of that document: the number of sequences with p < 0.01 is
// binomial (tail of 1e-5), and the p-values are uniform (chi-square over ten bins, 1e-5). The
// bounds are wider than the document's 3 standard deviations and 1e-4, because there are 66 of each
// here. Seeds are fixed, so the outcome is always the same. tests/bench/random_dieharder runs
// dieharder on the same words.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/lib/statistics.h"
#include "tests/unit/lib/stream.h"

namespace twinpath {
namespace {

constexpr size_t kBits = 1 << 18;
constexpr int kSequences = 100;

Bits ToBits(const std::string& digits) {
  Bits bits;
  for (char digit : digits) bits.push_back(static_cast<uint8_t>(digit - '0'));
  return bits;
}

// The first 100 binary digits of pi: the worked example of most of SP 800-22's sections.
const char kPi[] =
    "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010"
    "111"
    "000";

TEST(Statistics, AgreeWithTheWorkedExamples) {
  const Bits pi = ToBits(kPi);
  EXPECT_NEAR(Monobit(pi), 0.109599, 1e-6);
  EXPECT_NEAR(BlockFrequency(pi, 10), 0.706438, 1e-6);
  EXPECT_NEAR(Runs(pi), 0.500798, 1e-6);
  EXPECT_NEAR(CumulativeSums(pi, false), 0.219194, 1e-6);
  EXPECT_NEAR(CumulativeSums(pi, true), 0.114866, 1e-6);
  EXPECT_NEAR(ApproximateEntropy(pi, 2), 0.235301, 1e-6);
  EXPECT_NEAR(Serial(ToBits("0011011101"), 3).first, 0.808792, 1e-6);
  EXPECT_NEAR(Serial(ToBits("0011011101"), 3).second, 0.670320, 1e-6);
}

// P(at least `failures` of kSequences), each with probability 0.01.
double FailuresP(int failures) {
  double below = 0;
  for (int k = 0; k < failures; k++) {
    below += std::exp(std::lgamma(kSequences + 1) - std::lgamma(k + 1) -
                      std::lgamma(kSequences - k + 1) + k * std::log(0.01) +
                      (kSequences - k) * std::log(0.99));
  }
  return 1 - below;
}

double UniformP(const std::vector<double>& values) {
  double bins[10] = {}, chi_square = 0;
  for (double p : values) bins[std::min(static_cast<int>(p * 10), 9)]++;
  const double expected = static_cast<double>(values.size()) / 10;
  for (double seen : bins) chi_square += (seen - expected) * (seen - expected) / expected;
  return ChiSquareP(chi_square, 9);
}

// `word(sequence, i)`: word i of a sequence.
void Judge(const std::function<uint64_t(uint64_t, uint64_t)>& word) {
  std::map<std::string, std::vector<double>> values;
  for (uint64_t sequence = 0; sequence < kSequences; sequence++) {
    Bits bits;
    bits.reserve(kBits);
    for (uint64_t i = 0; i < kBits / 64; i++) {
      const uint64_t w = word(sequence, i);
      for (int bit = 63; bit >= 0; bit--) bits.push_back(w >> bit & 1);
    }
    for (const NamedP& named : AllTests(bits)) values[named.test].push_back(named.p);
  }
  for (const auto& [test, p] : values) {
    const auto failures = std::count_if(p.begin(), p.end(), [](double v) { return v < 0.01; });
    EXPECT_GT(FailuresP(static_cast<int>(failures)), 1e-5) << test << ": " << failures << " of 100";
    EXPECT_GT(UniformP(p), 1e-5) << test;
  }
}

struct Key {
  __u64 a, b;
};

Key StreamKey(uint64_t seed, const std::string& rule_name, uint32_t queue) {
  tp_rule rule = {};
  tp_rule_key(seed, tp_name_hash(rule_name.data(), rule_name.size()), &rule.key_a, &rule.key_b);
  Key key;
  tp_stream_key(&rule, tp_name_hash("port0", 5), queue, &key.a, &key.b);
  return key;
}

// Consecutive words of a stream, as the loss model uses them.
TEST(Statistics, WordsOfOneStream) {
  const Key key = StreamKey(7, "default", 0);
  Judge([&](uint64_t sequence, uint64_t i) { return tp_word(key.a, key.b, sequence << 32 | i); });
}

// One lane of the draws: bit `sequence` % 64 of successive words, packet `lane`'s of every block.
TEST(Statistics, LanesOfTheDraws) {
  const Key key = StreamKey(7, "default", 1);
  Judge([&](uint64_t sequence, uint64_t i) {
    uint64_t bits = 0;
    for (uint64_t j = 0; j < 64; j++)
      bits = bits << 1 |
             (tp_word(key.a, key.b, (sequence / 64 << 32) + 64 * i + j) >> sequence % 64 & 1);
    return bits;
  });
}

// Whole draws of successive packets.
TEST(Statistics, DrawsOfOneStream) {
  const Key key = StreamKey(9, "voip", 0);
  Judge([&](uint64_t sequence, uint64_t i) { return tp_draw(key.a, key.b, sequence << 32 | i); });
}

// The same word of consecutive queues: streams that differ only in one number.
TEST(Statistics, ConsecutiveQueues) {
  Judge([](uint64_t sequence, uint64_t i) {
    const Key key = StreamKey(7, "default", static_cast<uint32_t>(i));
    return tp_word(key.a, key.b, sequence);
  });
}

// The same word of consecutive seeds.
TEST(Statistics, ConsecutiveSeeds) {
  Judge([](uint64_t sequence, uint64_t i) {
    const Key key = StreamKey(i, "default", 0);
    return tp_word(key.a, key.b, sequence);
  });
}

// Sixteen rules' streams, interleaved word by word.
TEST(Statistics, InterleavedRules) {
  std::vector<Key> keys;
  for (int i = 0; i < 16; i++) keys.push_back(StreamKey(7, "rule" + std::to_string(i), 0));
  Judge([&](uint64_t sequence, uint64_t i) {
    const Key& key = keys[i % keys.size()];
    return tp_word(key.a, key.b, (sequence << 32) + i / keys.size());
  });
}

// Each test detects the fault that it is made for.
TEST(Statistics, AreNotBlind) {
  const Key key = StreamKey(7, "default", 0);
  Bits good;
  for (uint64_t i = 0; i < kBits; i++) good.push_back(tp_word(key.a, key.b, i) & 1);
  auto p_of = [](const std::string& test, const Bits& bits) {
    for (const NamedP& named : AllTests(bits)) {
      if (named.test == test) return named.p;
    }
    return 1.0;
  };
  Bits biased = good, alternating = good, doubled = good, ranked = good, tone = good, echo = good;
  for (size_t i = 0; i < kBits; i += 64) biased[i] = 1;
  for (size_t i = 1; i < kBits; i += 16) alternating[i] = !alternating[i - 1];
  for (size_t i = 1; i < kBits; i += 16) doubled[i] = doubled[i - 1];
  for (size_t i = 32; i < kBits; i += 64) std::copy_n(&ranked[i - 32], 32, &ranked[i]);
  for (size_t i = 0; i < kBits; i += 8) tone[i] = i / 8 & 1;
  for (const char* test : {"monobit", "cumulative sums", "cumulative sums, reverse"})
    EXPECT_LT(p_of(test, biased), 1e-6) << test;
  for (const char* test : {"runs", "serial 1", "approximate entropy"})
    EXPECT_LT(p_of(test, alternating), 1e-6) << test;
  for (size_t i = 16; i < kBits; i += 16) echo[i] = echo[i - 11];
  EXPECT_LT(p_of("serial 2", echo), 1e-6);
  EXPECT_LT(p_of("longest run of ones", doubled), 1e-6);
  EXPECT_LT(p_of("matrix rank", ranked), 1e-6);
  EXPECT_LT(p_of("spectral", tone), 1e-6);
  Bits uneven = good;
  for (size_t i = 0; i < kBits; i += 16) uneven[i] = i / 4096 & 1;
  EXPECT_LT(p_of("block frequency", uneven), 1e-6);
}

}  // namespace
}  // namespace twinpath
