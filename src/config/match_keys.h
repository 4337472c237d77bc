// SPDX-License-Identifier: BSD-3-Clause
// MatchSpec -> the masks and masked keys that tp_classify compares with. Pure functions.

#ifndef TWINPATH_CONFIG_MATCH_KEYS_H_
#define TWINPATH_CONFIG_MATCH_KEYS_H_

#include <cstdint>
#include <vector>

#include "src/config/policy.h"
#include "src/policy/types.h"

namespace twinpath {

struct PortPrefix {
  uint16_t value = 0, mask = 0;  // host order
};

// The fewest prefixes that hold exactly the ports of `range`: at most 30.
std::vector<PortPrefix> CoverRange(PortRange range);

// A match as one masked key for each pair of a source and a destination port prefix.
struct MatchKeys {
  tp_key mask = {}, value = {};                  // all fields but the transport ports
  std::vector<PortPrefix> src_ports, dst_ports;  // {0, 0} alone where they are not asked for

  size_t size() const { return src_ports.size() * dst_ports.size(); }
  tp_key Mask(const PortPrefix& src, const PortPrefix& dst) const;
  tp_key Value(const PortPrefix& src, const PortPrefix& dst) const;
};

// `port` is the index of match.port among the program's ports; unused where it is not set.
MatchKeys KeysOf(const MatchSpec& match, uint8_t port);

// True where nothing but the ingress port is asked for: no header can change the answer.
bool AsksNothingOfFrame(const MatchSpec& match);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_MATCH_KEYS_H_
