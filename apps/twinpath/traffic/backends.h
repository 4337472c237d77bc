// SPDX-License-Identifier: BSD-3-Clause
// Chooses what sends, or receives, on a device. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_TRAFFIC_BACKENDS_H_
#define TWINPATH_APPS_TWINPATH_TRAFFIC_BACKENDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/traffic/frames/plan.h"
#include "src/traffic/receive/receiver.h"
#include "src/traffic/send/sender.h"

namespace twinpath {

inline constexpr char kAuto[] = "auto", kXdp[] = "xdp", kAfPacket[] = "af_packet", kDpdk[] = "dpdk";

struct ChosenSender {
  std::string name;  // one of the words above
  std::string why;   // "XDP live frames, as veth takes them"
  std::unique_ptr<Sender> sender;
};

// `plan` is null where the frames are a capture's. `packets` is the rate in packets a second, 0
// where it is not known or as high as it can be. `source` must outlive the sender.
absl::StatusOr<ChosenSender> ChooseSender(const std::string& port, const std::string& backend,
                                          const FrameSource& source, const Plan* plan,
                                          double packets);

struct ChosenInput {
  std::string name, why;
  std::unique_ptr<FrameInput> input;
};
absl::StatusOr<ChosenInput> ChooseInput(const std::string& port, const std::string& backend);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_BACKENDS_H_
