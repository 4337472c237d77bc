// SPDX-License-Identifier: BSD-3-Clause
// Computes the RSS hash of a NIC in software: Toeplitz over addresses and ports (Microsoft, "RSS
// hashing functions"). Pure; any thread.

#ifndef TWINPATH_DPDK_PORT_TOEPLITZ_H_
#define TWINPATH_DPDK_PORT_TOEPLITZ_H_

#include <cstdint>
#include <vector>

#include "src/config/profile/rss.h"
#include "src/policy/types.h"

namespace twinpath {

class SoftRss {
 public:
  // `key`: 40 bytes or more. `fields`: a set of RssField; the parser does not read SCTP's ports.
  SoftRss(uint32_t fields, const std::vector<uint8_t>& key);

  // Returns the hash of a parsed frame. For fragments, and for protocols whose ports are not among
  // the fields, only the addresses are hashed. 0: no addresses, or nothing to hash among the
  // fields.
  uint32_t Hash(const tp_key& key) const;

 private:
  uint32_t fields_;
  std::vector<uint32_t> key_;  // in the byte order of rte_softrss_be
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_TOEPLITZ_H_
