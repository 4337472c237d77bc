// SPDX-License-Identifier: BSD-3-Clause
// RSS of one ethdev: requests from the PMD what the profile says, reads back what the PMD set, and
// tells what it cannot do. Control thread.

#ifndef TWINPATH_DPDK_PORT_RSS_H_
#define TWINPATH_DPDK_PORT_RSS_H_

#include <rte_ethdev.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/profile/rss.h"

namespace twinpath {

// How a port's frames are spread over its queues now.
struct RssState {
  uint32_t fields = 0;              // RssField; 0: no RSS
  std::vector<uint8_t> key;         // empty: the PMD does not tell
  std::vector<uint16_t> reta;       // queue by the hash's low bits; empty: the PMD does not tell
  std::vector<std::string> cannot;  // requests that were not met, one line each
};

// Writes to `conf` what the device can do of `spec` for `queues` queues. The key of `conf` is
// borrowed from *key. InvalidArgument: the key does not have the device's length.
absl::StatusOr<RssState> AskRss(const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
                                std::vector<uint8_t>* key, rte_eth_conf* conf);

// After the ethdev `port` was started with that: sets its table to the queues in turn, and reads
// back the state.
void SettleRss(uint16_t port, const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
               RssState* state);

// Whether `about` hashes any of the spec's fields.
bool HashesAny(const RssSpec& spec, const rte_eth_dev_info& about);

// "0,1 over 128 places": the table, up to where it repeats.
std::string RetaWords(const std::vector<uint16_t>& reta);

// Whether both directions of a flow have the same hash.
bool IsSymmetricRssKey(const std::vector<uint8_t>& key);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_RSS_H_
