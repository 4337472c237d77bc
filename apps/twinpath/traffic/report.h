// SPDX-License-Identifier: BSD-3-Clause
// What `twinpath generate` and `receive` print in the end, as text and as JSON. Pure functions.

#ifndef TWINPATH_APPS_TWINPATH_TRAFFIC_REPORT_H_
#define TWINPATH_APPS_TWINPATH_TRAFFIC_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "apps/twinpath/traffic/values.h"
#include "nlohmann/json.hpp"
#include "src/traffic/receive/receiver.h"
#include "src/traffic/send/sender.h"

namespace twinpath {

// A sent rate within this share of the asked one counts as reached.
inline constexpr double kRateTolerance = 0.005;

struct Sent {
  std::string port, backend, why;
  bool tagged = true;
  uint8_t stream = 0;
  Rate asked;             // kMax: as fast as it can be
  uint32_t overhead = 0;  // bytes a frame beside its own, at the layer of the rate
  std::string recorded;   // instead of a rate: "as recorded", "as recorded, times 2"
  uint64_t planned = 0;   // nanoseconds that the recorded frames should take
  SendResult result;

  // The sent rate in the unit of the asked one; packets where none was asked.
  double rate() const;
  // Whether the asked rate was reached; true where none was asked.
  bool reached() const;
};

nlohmann::ordered_json SentJson(const Sent& sent);
std::string SentText(const Sent& sent);

struct Received {
  std::string from, backend, why;
  const Receiver* receiver = nullptr;
  std::map<int, uint64_t> expected;  // packets of a stream; -1: of all others
  uint64_t missed = 0;
  double seconds = 0;
  bool capture = false;
};

nlohmann::ordered_json ReceivedJson(const Received& received);
std::string ReceivedText(const Received& received);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_REPORT_H_
