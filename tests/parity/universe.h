// SPDX-License-Identifier: BSD-3-Clause
// The few addresses, ports and tags of generated frames and generated policies, so that frames
// match rules. Each draw depends on the seed of the universe and on the number of earlier draws.
// One thread.

#ifndef TWINPATH_TESTS_PARITY_UNIVERSE_H_
#define TWINPATH_TESTS_PARITY_UNIVERSE_H_

#include <cstddef>
#include <cstdint>

#include "src/policy/pipeline.h"

namespace twinpath {

class Universe {
 public:
  explicit Universe(uint64_t number) : key_(tp_mix(number + TP_GOLDEN)) {}

  // 0 to `below` - 1.
  uint64_t Draw(uint64_t below) { return tp_word(key_, 0x7e57, drawn_++) % below; }
  bool Chance(uint64_t one_in) { return Draw(one_in) == 0; }
  template <typename T, size_t N>
  T Of(const T (&values)[N]) {
    return values[Draw(N)];
  }

  uint8_t Byte() { return static_cast<uint8_t>(Draw(256)); }
  uint8_t Mac() { return static_cast<uint8_t>(1 + Draw(4)); }
  uint16_t Vlan() { return Of<uint16_t>({0, 1, 5, 100, 4095}); }
  // 10.1.0.0 to 10.2.3.15, in the host's order.
  uint32_t Ipv4() {
    return 0x0a000000U | static_cast<uint32_t>((1 + Draw(2)) << 16 | Draw(4) << 8 | Draw(16));
  }
  uint8_t Ipv6Host() { return static_cast<uint8_t>(Draw(16)); }  // of 2001:db8::/124
  // 253 (for experiments), none, SCTP, GRE, ESP. The parser knows none of them.
  uint8_t Proto() { return Of<uint8_t>({253, 59, 132, 47, 50}); }
  uint16_t Port() { return Of<uint16_t>({53, 80, 443, 1111, 2222, 5000, 5007, 5015, 65535}); }

 private:
  uint64_t key_;
  uint64_t drawn_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_UNIVERSE_H_
