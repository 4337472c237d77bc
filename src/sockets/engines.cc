// SPDX-License-Identifier: BSD-3-Clause
// Name -> engine.

#include "src/sockets/engines.h"

#include "absl/strings/str_cat.h"
#include "src/sockets/af_xdp/xsk_engine.h"
#include "src/sockets/packet/packet_engine.h"
#include "src/sockets/pcap/pcap_engine.h"

namespace twinpath {

absl::StatusOr<std::unique_ptr<Engine>> MakePacketEngine() {
  return std::make_unique<PacketEngine>();
}

absl::StatusOr<std::unique_ptr<Engine>> MakePcapEngine() {
  return std::make_unique<PcapEngine>("pcap");
}

absl::StatusOr<std::unique_ptr<Engine>> MakePfRingEngine() {
  if (absl::Status there = CheckPfRing(); !there.ok()) return there;
  return std::make_unique<PcapEngine>("pf_ring");
}

absl::StatusOr<std::unique_ptr<Engine>> MakeXskEngine() { return std::make_unique<XskEngine>(); }

absl::StatusOr<std::unique_ptr<Engine>> MakeEngine(const std::string& name) {
  for (const EngineKind& kind : kEngines)
    if (name == kind.name) return kind.make();
  return absl::InvalidArgumentError(absl::StrCat("there is no engine ", name));
}

}  // namespace twinpath
