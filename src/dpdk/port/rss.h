// SPDX-License-Identifier: BSD-3-Clause
// RSS of one ethdev: requests the profile's settings from the PMD, reads back the PMD's actual
// settings, and reports what the PMD cannot do. Control thread.

#ifndef TWINPATH_DPDK_PORT_RSS_H_
#define TWINPATH_DPDK_PORT_RSS_H_

#include <rte_ethdev.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/profile/rss.h"

namespace twinpath {

// How the ethdev spreads frames over its queues.
struct RssState {
  uint32_t fields = 0;              // RssField; 0: no RSS
  std::vector<uint8_t> key;         // empty: the PMD does not report it
  std::vector<uint16_t> reta;       // queue by the hash's low bits; empty: not reported
  std::vector<std::string> cannot;  // requests that were not met, one line each
};

// Writes the part of `spec` that the device supports to `conf`, for `queues` queues. `conf` points
// into *key. InvalidArgument: the key does not have the device's length.
absl::StatusOr<RssState> AskRss(const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
                                std::vector<uint8_t>* key, rte_eth_conf* conf);

// Call it after the ethdev `port` was started with that `conf`: fills its redirection table with
// the queues in turn, and reads back the state.
void SettleRss(uint16_t port, const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
               RssState* state);

// Whether the device hashes any of the spec's fields.
bool HashesAny(const RssSpec& spec, const rte_eth_dev_info& about);

// Describes the table by its repeated part: "0,1 over 128 places".
std::string RetaWords(const std::vector<uint16_t>& reta);

// Whether both directions of a flow have the same hash.
bool IsSymmetricRssKey(const std::vector<uint8_t>& key);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_RSS_H_
