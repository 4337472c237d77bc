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

class InterfaceGuard;

inline constexpr char kByAuto[] = "auto", kByXdp[] = "xdp", kByAfPacket[] = "af_packet",
                      kByDpdk[] = "dpdk", kByAfXdp[] = "af_xdp";

struct ChosenSender {
  std::string name;  // one of the words above
  std::string why;   // "XDP live frames (the fastest)"
  std::unique_ptr<Sender> sender;
};

// Restores the kernel interface of --backend af_xdp however this process ends. Null: another
// backend. To be called before there are threads; in the child process, which is the guard, it
// returns when the parent has ended, and sets `ended`.
absl::StatusOr<std::unique_ptr<InterfaceGuard>> GuardPort(const std::string& port,
                                                          const std::string& backend, bool* ended);

// `plan` is null where the frames are a capture's. `packets` is the rate in packets a second, 0
// where it is not known or as high as it can be. `source` must outlive the sender.
absl::StatusOr<ChosenSender> ChooseSender(const std::string& port, const std::string& backend,
                                          const FrameSource& source, const Plan* plan,
                                          double packets, InterfaceGuard* guard);

struct ChosenInput {
  std::string name, why;
  std::unique_ptr<FrameInput> input;
};
absl::StatusOr<ChosenInput> ChooseInput(const std::string& port, const std::string& backend,
                                        InterfaceGuard* guard);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_TRAFFIC_BACKENDS_H_
