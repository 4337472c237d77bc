// SPDX-License-Identifier: BSD-3-Clause
// RSS of one ethdev: asks the PMD for what the profile wants, reads back what it made of it, and
// says what it cannot do. Control thread.

#ifndef TWINPATH_DPDK_PORT_RSS_H_
#define TWINPATH_DPDK_PORT_RSS_H_

#include <rte_ethdev.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/profile/rss.h"

namespace twinpath {

// What spreads a port's frames over its queues now.
struct RssState {
  uint32_t fields = 0;              // RssField; 0: no RSS
  std::vector<uint8_t> key;         // empty: the PMD does not tell it
  std::vector<uint16_t> reta;       // queue by the hash's low bits; empty: the PMD does not tell it
  std::vector<std::string> cannot;  // what was asked for and is not so, one line each
};

// What `about` can do of `spec` for `queues` queues, put into `conf`, whose key is borrowed from
// *key. InvalidArgument: a key that does not have the device's length.
absl::StatusOr<RssState> AskRss(const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
                                std::vector<uint8_t>* key, rte_eth_conf* conf);

// After the ethdev `port` was started as AskRss said: deals the places of its table to the queues
// in turn, and reads back what there is.
void SettleRss(uint16_t port, const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
               RssState* state);

// Whether `about` hashes any of the spec's fields.
bool HashesAny(const RssSpec& spec, const rte_eth_dev_info& about);

// "0,1 over 128 places": the table, as far as it does not begin again.
std::string RetaWords(const std::vector<uint16_t>& reta);

// Whether both directions of a flow have the same hash.
bool IsSymmetricRssKey(const std::vector<uint8_t>& key);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_RSS_H_
