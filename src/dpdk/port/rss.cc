// SPDX-License-Identifier: BSD-3-Clause
// Converts the profile's fields, key and table to DPDK's structures and back. Control thread.

#include "src/dpdk/port/rss.h"

#include <rte_errno.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace twinpath {
namespace {

constexpr size_t kCommonKeyBytes = 40;  // enough for Toeplitz over IPv6; if the PMD reports none

struct Flags {
  RssField field;
  uint64_t flags;
};
constexpr Flags kFlags[] = {{kRssIp, RTE_ETH_RSS_IP},
                            {kRssTcp, RTE_ETH_RSS_TCP},
                            {kRssUdp, RTE_ETH_RSS_UDP},
                            {kRssSctp, RTE_ETH_RSS_SCTP}};

uint64_t FlagsOf(uint32_t fields) {
  uint64_t flags = 0;
  for (const Flags& each : kFlags)
    if (fields & each.field) flags |= each.flags;
  return flags;
}

uint32_t FieldsOf(uint64_t flags) {
  uint32_t fields = 0;
  for (const Flags& each : kFlags)
    if (flags & each.flags) fields |= each.field;
  return fields;
}

// The table as rte_eth_dev_rss_reta_update and _query take it: entries of 64 places.
std::vector<rte_eth_rss_reta_entry64> Table(uint16_t places) {
  std::vector<rte_eth_rss_reta_entry64> table((places + RTE_ETH_RETA_GROUP_SIZE - 1) /
                                              RTE_ETH_RETA_GROUP_SIZE);
  for (uint16_t i = 0; i < places; i++)
    table[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ull << i % RTE_ETH_RETA_GROUP_SIZE;
  return table;
}

void SettleTable(uint16_t port, uint16_t places, uint16_t queues, RssState* state) {
  auto table = Table(places);
  for (uint16_t i = 0; i < places; i++)
    table[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = i % queues;
  const int set = places == 0 ? -ENOTSUP : rte_eth_dev_rss_reta_update(port, table.data(), places);
  if (set != 0) {
    state->cannot.push_back(absl::StrCat("the redirection table cannot be set (",
                                         rte_strerror(-set), "); the PMD's default stays"));
  }
  if (places == 0 || rte_eth_dev_rss_reta_query(port, table.data(), places) != 0) return;
  for (uint16_t i = 0; i < places; i++)
    state->reta.push_back(table[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE]);
}

}  // namespace

bool HashesAny(const RssSpec& spec, const rte_eth_dev_info& about) {
  return (FlagsOf(spec.fields) & about.flow_type_rss_offloads) != 0;
}

std::string RetaWords(const std::vector<uint16_t>& reta) {
  if (reta.empty()) return "";
  size_t period = 1;
  while (period < reta.size() &&
         !std::equal(reta.begin() + static_cast<ptrdiff_t>(period), reta.end(), reta.begin()))
    period++;
  return absl::StrCat(
      absl::StrJoin(reta.begin(), reta.begin() + static_cast<ptrdiff_t>(period), ","), " over ",
      reta.size(), " places");
}

bool IsSymmetricRssKey(const std::vector<uint8_t>& key) {
  // A symmetric key repeats two bytes. All fields have lengths that are multiples of two bytes, so
  // the key's windows at the bits of a source and of its destination are the same.
  for (size_t i = 2; i < key.size(); i++)
    if (key[i] != key[i - 2]) return false;
  return !key.empty();
}

absl::StatusOr<RssState> AskRss(const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
                                std::vector<uint8_t>* key, rte_eth_conf* conf) {
  RssState state;
  if (queues < 2) return state;
  const uint64_t flags = FlagsOf(spec.fields) & about.flow_type_rss_offloads;
  state.fields = FieldsOf(flags);
  if (flags == 0) {
    state.cannot.push_back(absl::StrCat(about.driver_name, " does not hash ",
                                        RssFieldWords(spec.fields),
                                        ": frames are spread by the device's own rule"));
    return state;
  }
  if (const uint32_t left = spec.fields & ~state.fields; left != 0) {
    state.cannot.push_back(absl::StrCat(about.driver_name, " does not hash ", RssFieldWords(left)));
  }
  conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf->rx_adv_conf.rss_conf.rss_hf = flags;
  *key = spec.key;
  if (spec.symmetric)
    *key = SymmetricRssKey(about.hash_key_size != 0 ? about.hash_key_size : kCommonKeyBytes);
  if (key->empty()) return state;
  if (about.hash_key_size != 0 && key->size() != about.hash_key_size) {
    return absl::InvalidArgumentError(absl::StrCat("the profile's /rss/key has ", key->size(),
                                                   " bytes, and ", about.driver_name, " needs ",
                                                   about.hash_key_size));
  }
  conf->rx_adv_conf.rss_conf.rss_key = key->data();
  conf->rx_adv_conf.rss_conf.rss_key_len = static_cast<uint8_t>(key->size());
  return state;
}

void SettleRss(uint16_t port, const RssSpec& spec, const rte_eth_dev_info& about, uint16_t queues,
               RssState* state) {
  if (state->fields == 0) return;
  std::vector<uint8_t> key(about.hash_key_size != 0 ? about.hash_key_size : kCommonKeyBytes);
  rte_eth_rss_conf conf = {};
  conf.rss_key = key.data();
  conf.rss_key_len = static_cast<uint8_t>(key.size());
  if (rte_eth_dev_rss_hash_conf_get(port, &conf) == 0) {
    state->key = key;
    if (conf.rss_hf != 0) state->fields &= FieldsOf(conf.rss_hf);
  }
  const std::vector<uint8_t> asked = spec.symmetric ? SymmetricRssKey(key.size()) : spec.key;
  if (!asked.empty() && state->key != asked) {
    state->cannot.push_back(absl::StrCat(
        about.driver_name, state->key.empty() ? " does not report its key" : " uses its own key",
        spec.symmetric ? ": the two directions of a flow may use different queues" : ""));
  }
  SettleTable(port, about.reta_size, queues, state);
}

}  // namespace twinpath
