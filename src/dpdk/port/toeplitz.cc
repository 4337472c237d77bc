// SPDX-License-Identifier: BSD-3-Clause
// Arranges a frame's addresses and ports in the order that the hash is defined for. Any thread.

#include "src/dpdk/port/toeplitz.h"

#include <rte_thash.h>

#include <cstring>

#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

uint32_t BigEndian(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

}  // namespace

SoftRss::SoftRss(uint32_t fields, const std::vector<uint8_t>& key)
    : fields_(fields), key_(key.size() / 4) {
  std::vector<uint32_t> words(key_.size());
  std::memcpy(words.data(), key.data(), words.size() * 4);
  rte_convert_rss_key(words.data(), key_.data(), static_cast<int>(words.size() * 4));
}

uint32_t SoftRss::Hash(const tp_key& key) const {
  if (!(key.flags & TP_KEY_IP)) return 0;
  uint32_t tuple[9], words = key.ip_version == 4 ? 2 : 8;
  for (uint32_t i = 0; i < words; i++) tuple[i] = BigEndian(&key.address[i * 4]);
  const uint32_t ports = key.proto == kTcp   ? fields_ & kRssTcp
                         : key.proto == kUdp ? fields_ & kRssUdp
                                             : 0u;
  if (ports != 0 && key.flags & TP_KEY_PORTS && !(key.flags & TP_KEY_FRAGMENT))
    tuple[words++] = BigEndian(reinterpret_cast<const uint8_t*>(&key.src_port));
  else if (!(fields_ & kRssIp))
    return 0;
  return rte_softrss_be(tuple, words, reinterpret_cast<const uint8_t*>(key_.data()));
}

}  // namespace twinpath
