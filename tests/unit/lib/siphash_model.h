// SPDX-License-Identifier: BSD-3-Clause
// SipHash-C-D of any bytes, written from the paper and unlike src/policy/random.h: byte by byte,
// for any number of rounds. For tests; pure.

#ifndef TWINPATH_TESTS_UNIT_LIB_SIPHASH_MODEL_H_
#define TWINPATH_TESTS_UNIT_LIB_SIPHASH_MODEL_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace twinpath {

class SipHashModel {
 public:
  SipHashModel(int c, int d, uint64_t a, uint64_t b) : c_(c), d_(d) {
    const char text[] = "somepseudorandomlygeneratedbytes";  // big-endian
    for (size_t i = 0; i < 32; i++) v_[i / 8] = v_[i / 8] << 8 | static_cast<uint8_t>(text[i]);
    for (size_t i = 0; i < 4; i++) v_[i] ^= i % 2 ? b : a;
  }

  uint64_t Hash(std::span<const uint8_t> message) && {
    uint64_t word = 0;
    for (size_t i = 0; i < message.size(); i++) {
      word |= uint64_t{message[i]} << i % 8 * 8;
      if (i % 8 != 7) continue;
      Take(word);
      word = 0;
    }
    Take(word | uint64_t{message.size() & 0xff} << 56);
    v_[2] ^= 0xff;
    Rounds(d_);
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  void Take(uint64_t word) {
    v_[3] ^= word;
    Rounds(c_);
    v_[0] ^= word;
  }
  // One ARX step: to += by; by = (by <<< bits) ^ to.
  void Mix(size_t to, size_t by, int bits) {
    v_[to] += v_[by];
    v_[by] = std::rotl(v_[by], bits) ^ v_[to];
  }
  void Rounds(int rounds) {
    for (int i = 0; i < rounds; i++) {
      Mix(0, 1, 13);
      v_[0] = std::rotl(v_[0], 32);
      Mix(2, 3, 16);
      Mix(0, 3, 21);
      Mix(2, 1, 17);
      v_[2] = std::rotl(v_[2], 32);
    }
  }

  const int c_, d_;
  std::array<uint64_t, 4> v_ = {};
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_SIPHASH_MODEL_H_
