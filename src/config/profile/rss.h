// SPDX-License-Identifier: BSD-3-Clause
// How frames are spread over a port's queues: the "rss" of a profile. Plain values; control thread,
// at set-up.

#ifndef TWINPATH_CONFIG_PROFILE_RSS_H_
#define TWINPATH_CONFIG_PROFILE_RSS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"

namespace twinpath {

// A set of hashed fields of a frame. Addresses are always hashed; kRssIp alone: only addresses.
enum RssField : uint32_t { kRssIp = 1, kRssTcp = 2, kRssUdp = 4, kRssSctp = 8 };

struct RssFieldName {
  const char* name;
  RssField field;
};
inline constexpr RssFieldName kRssFields[] = {
    {"ip", kRssIp}, {"tcp", kRssTcp}, {"udp", kRssUdp}, {"sctp", kRssSctp}};

// "ip+tcp"; "none" for the empty set.
std::string RssFieldWords(uint32_t fields);

enum class RssSpread {
  kDevice,    // by the device; an error if it has too few queues
  kAuto,      // by the device, or by software if the device has too few queues or no RSS
  kSoftware,  // by software on every port
};

struct RssSpec {
  uint32_t fields = kRssIp | kRssTcp | kRssUdp;
  bool symmetric = false;    // use a key that sends both directions of a flow to one queue
  std::vector<uint8_t> key;  // 40 or 52 bytes; empty: symmetric, or the driver's own
  RssSpread spread = RssSpread::kDevice;
};

absl::StatusOr<RssSpec> ReadRss(const JsonCursor& rss);

// The symmetric Toeplitz key of `bytes` bytes: 0x6d5a repeated. (Woo and Park, "Scalable TCP
// session monitoring with symmetric receive-side scaling", 2012.)
std::vector<uint8_t> SymmetricRssKey(size_t bytes);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_PROFILE_RSS_H_
