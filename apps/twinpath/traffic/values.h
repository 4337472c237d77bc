// SPDX-License-Identifier: BSD-3-Clause
// The values of the options of `twinpath generate` and `receive`. Pure functions; an
// InvalidArgument names the option, what was found and what is allowed.

#ifndef TWINPATH_APPS_TWINPATH_TRAFFIC_VALUES_H_
#define TWINPATH_APPS_TWINPATH_TRAFFIC_VALUES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/traffic/frames/plan.h"
#include "src/traffic/send/schedule.h"

namespace twinpath {

// --rate: "1.5Mpps", "250Mbit", "max".
struct Rate {
  RateUnit unit = RateUnit::kMax;
  uint64_t thousandths = 0;
};
absl::StatusOr<Rate> ParseRate(const std::string& text);

// --size: "64", "64,128,1514", "64-1514", "imix". IMIX is 7 frames of 60 bytes, 4 of 590 and 1 of
// 1,514, in turn, where `shortest` is not longer.
struct Sizes {
  std::vector<uint16_t> in_turn;  // empty: the range
  std::pair<uint16_t, uint16_t> range = {};
};
absl::StatusOr<Sizes> ParseSizes(const std::string& text, uint32_t shortest);

// --spread: "turn", "uniform", "zipf", "zipf:1.2".
struct Spread {
  tp_traffic_spread kind = TP_SPREAD_TURN;
  double zipf = 1;
};
absl::StatusOr<Spread> ParseSpread(const std::string& text);

absl::StatusOr<MacAddress> ParseMac(const std::string& option, const std::string& text);
absl::StatusOr<IpAddress> ParseIp(const std::string& option, const std::string& text,
                                  uint32_t ip_version);

// --expect: "1000" (every stream), "3=1000" (stream 3). The first of the pair is -1 for every.
absl::StatusOr<std::pair<int, uint64_t>> ParseExpected(const std::string& text);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_VALUES_H_
