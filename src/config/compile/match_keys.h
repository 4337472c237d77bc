// SPDX-License-Identifier: BSD-3-Clause
// Compiles a match to the masks and masked keys that tp_classify compares with. Pure functions.

#ifndef TWINPATH_CONFIG_COMPILE_MATCH_KEYS_H_
#define TWINPATH_CONFIG_COMPILE_MATCH_KEYS_H_

#include <cstdint>
#include <vector>

#include "src/config/policy/policy.h"
#include "src/policy/types.h"

namespace twinpath {

struct RangePrefix {
  uint16_t value = 0, mask = 0;  // host order
};

// The smallest set of prefixes that covers exactly the numbers from `first` to `last`. At most 30.
std::vector<RangePrefix> CoverRange(uint16_t first, uint16_t last);

// A match as one masked key for each combination of its ranges' prefixes.
struct MatchKeys {
  tp_key mask = {}, value = {};                            // all fields except those with ranges
  std::vector<RangePrefix> src_ports, dst_ports, lengths;  // one {0, 0} if not tested

  // The number of keys, and of different masks among them. Computed as products, without
  // enumeration.
  size_t size() const;
  size_t shapes() const;

  // Key number i; i < size().
  tp_key Mask(size_t i) const { return Key(i, mask, &RangePrefix::mask); }
  tp_key Value(size_t i) const { return Key(i, value, &RangePrefix::value); }

 private:
  tp_key Key(size_t i, tp_key key, uint16_t RangePrefix::*side) const;
};

// `port` is the index of match.port among the program's ports; ignored if match.port is not set.
MatchKeys KeysOf(const MatchSpec& match, uint8_t port);

// Whether the match tests nothing except the ingress port, so that every frame matches.
bool MatchesEveryFrame(const MatchSpec& match);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_MATCH_KEYS_H_
