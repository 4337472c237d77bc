// SPDX-License-Identifier: BSD-3-Clause
// The engines by name. Control thread.

#ifndef TWINPATH_SOCKETS_ENGINES_H_
#define TWINPATH_SOCKETS_ENGINES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/sockets/engine.h"

namespace twinpath {

struct EngineKind {
  const char* name;
  absl::StatusOr<std::unique_ptr<Engine>> (*make)();
};

absl::StatusOr<std::unique_ptr<Engine>> MakePacketEngine();
absl::StatusOr<std::unique_ptr<Engine>> MakePcapEngine();
absl::StatusOr<std::unique_ptr<Engine>> MakePfRingEngine();
absl::StatusOr<std::unique_ptr<Engine>> MakeXskEngine();

// The first is the default.
inline constexpr EngineKind kEngines[] = {
    {"packet_mmap", MakePacketEngine},
    {"pcap", MakePcapEngine},
    {"pf_ring", MakePfRingEngine},
    {"af_xdp", MakeXskEngine},
};

// FailedPrecondition: this machine does not have it, and what to install.
absl::StatusOr<std::unique_ptr<Engine>> MakeEngine(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_ENGINES_H_
