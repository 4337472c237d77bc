// SPDX-License-Identifier: BSD-3-Clause
// The hash that a NIC's RSS computes, by software: Toeplitz over addresses and ports (Microsoft,
// "RSS hashing functions"). Pure; any thread.

#ifndef TWINPATH_DPDK_PORT_TOEPLITZ_H_
#define TWINPATH_DPDK_PORT_TOEPLITZ_H_

#include <cstdint>
#include <vector>

#include "src/config/profile/rss.h"
#include "src/policy/types.h"

namespace twinpath {

class SoftRss {
 public:
  // `key`: 40 octets or more. `fields`: a set of RssField; SCTP's ports are not among what is
  // parsed.
  SoftRss(uint32_t fields, const std::vector<uint8_t>& key);

  // Of a parsed frame. Fragments, and protocols whose ports are not hashed, by their addresses; 0
  // for what has none, or where kRssIp is not among the fields.
  uint32_t Hash(const tp_key& key) const;

 private:
  uint32_t fields_;
  std::vector<uint32_t> key_;  // as rte_softrss_be wants it
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_TOEPLITZ_H_
