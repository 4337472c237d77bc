// SPDX-License-Identifier: BSD-3-Clause
// The options of `twinpath generate`, and what they say is to be sent, and when. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_TRAFFIC_GENERATE_OPTIONS_H_
#define TWINPATH_APPS_TWINPATH_TRAFFIC_GENERATE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "apps/twinpath/traffic/backends.h"
#include "apps/twinpath/traffic/values.h"
#include "src/traffic/captures.h"
#include "src/traffic/frames/plan.h"
#include "src/traffic/send/schedule.h"
#include "src/traffic/send/sender.h"

namespace twinpath {

struct GenerateOptions {
  std::string port, backend = kByAuto;
  std::string rate, size, spread = "turn", gaps = "constant";  // empty: not given
  std::string frame, pcap;
  std::string source_mac = "02:00:00:00:00:01", destination_mac = "02:00:00:00:00:02";
  std::string source, destination;
  uint32_t layer = 2, ip_version = 4, flows = 1, burst = 1;
  uint16_t source_port = TP_TRAFFIC_FIRST_PORT, destination_port = 9;
  std::optional<uint16_t> vlan;
  std::optional<double> duration, speed;
  std::optional<uint64_t> packets;
  uint64_t seed = 1;
  uint8_t stream = 0;
  bool tag = false, json = false;
};

void AddGenerateOptions(CLI::App* generate, GenerateOptions* options);

// What is to be sent: `plan`, or `recording`.
struct Generation {
  std::optional<Plan> plan;
  std::optional<Recording> recording;
  Schedule schedule{Pace()};
  Rate rate;
  uint32_t overhead = kLayer2Overhead;
  std::string recorded;  // how fast the capture is sent; empty: at a rate
  uint64_t planned = 0;  // nanoseconds that a recorded schedule takes; 0: not known
  SendLimits limits;
  bool tagged = true;

  const FrameSource& source() const {
    if (plan.has_value()) return *plan;
    return *recording;
  }
};

// Errors are InvalidArgument.
absl::StatusOr<Generation> MakeGeneration(const GenerateOptions& options);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_GENERATE_OPTIONS_H_
