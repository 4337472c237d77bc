// SPDX-License-Identifier: BSD-3-Clause
// An independent implementation of matching, field by field and without any knowledge of masks.
// Also random keys and matches that often match. For tests of keys and tables. One thread.

#ifndef TWINPATH_TESTS_UNIT_LIB_MATCH_ORACLE_H_
#define TWINPATH_TESTS_UNIT_LIB_MATCH_ORACLE_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "src/config/policy/match_spec.h"
#include "src/policy/types.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {

// Whether a packet with this key matches. `ports` are by the key's port number.
bool Matches(const MatchSpec& match, const tp_key& key, const std::vector<std::string>& ports);

class MatchGenerator {
 public:
  MatchGenerator(uint64_t seed, const std::vector<std::string>& ports)
      : random_(seed), ports_(ports) {}

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }

  // The key of a frame with up to two tags, and IPv4, IPv6 or neither.
  tp_key Key();

  // A match whose fields mostly, and often all, match `key`.
  MatchSpec Match(const tp_key& key);

  // The fields of stacked tags and lengths.
  void AddLaterFields(const tp_key& key, MatchSpec* match);

 private:
  void Ipv4(FrameBuilder* frame);
  void Ipv6(FrameBuilder* frame);
  void Transport(FrameBuilder* frame);
  void AddHeaderFields(const tp_key& key, MatchSpec* match);
  MacMatch Mac(const uint8_t* address);
  AddressPrefix Prefix(const tp_key& key, bool destination);
  PortRange Range(uint16_t network_order);
  uint8_t Byte() { return static_cast<uint8_t>(Below(3)); }
  uint16_t Port() { return static_cast<uint16_t>(OneIn(5) ? 65535 - Below(3) : Below(3) * 1000); }

  std::mt19937_64 random_;
  const std::vector<std::string>& ports_;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_MATCH_ORACLE_H_
