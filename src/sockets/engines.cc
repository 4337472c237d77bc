// SPDX-License-Identifier: BSD-3-Clause
// Name -> engine.

#include "src/sockets/engines.h"

#include "absl/strings/str_cat.h"
#include "src/sockets/packet/packet_engine.h"

namespace twinpath {

absl::StatusOr<std::unique_ptr<Engine>> MakePacketEngine() {
  return std::make_unique<PacketEngine>();
}

absl::StatusOr<std::unique_ptr<Engine>> MakeEngine(const std::string& name) {
  for (const EngineKind& kind : kEngines)
    if (name == kind.name) return kind.make();
  return absl::InvalidArgumentError(absl::StrCat("there is no engine ", name));
}

}  // namespace twinpath
