// SPDX-License-Identifier: BSD-3-Clause
// Opens a port's packet sockets.

#include "src/sockets/packet/packet_engine.h"

#include <utility>

#include "src/sockets/packet/packet_rx.h"
#include "src/sockets/packet/packet_tx.h"

namespace twinpath {

absl::Status OpenEndsToStack(const PortRequest& request, PortEnds* ends,
                             const std::vector<uint8_t>& prefix) {
  for (uint32_t q = 0; q < request.queues; q++) {
    // Not past the classifier, where the guard takes them.
    auto to_stack = PacketTx::Open({.index = request.index,
                                    .mtu = request.mtu,
                                    .mark = request.mark,
                                    .bypass = false,
                                    .prefix = prefix});
    if (!to_stack.ok()) return to_stack.status();
    ends->to_stack.push_back(*std::move(to_stack));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PortEnds>> PacketEngine::Open(const PortRequest& request) {
  auto ends = std::make_unique<PortEnds>();
  ends->mode = "packet_mmap";
  ends->why = request.queues > 1 ? "TPACKET_V3, a fanout group of sockets" : "TPACKET_V3";
  uint16_t group = 0;
  for (uint32_t q = 0; q < request.queues; q++) {
    auto rx = PacketRx::Open(request.index, request.mark);
    if (!rx.ok()) return rx.status();
    if (request.queues > 1) {
      auto joined = (*rx)->JoinFanout(group);
      if (!joined.ok()) return joined.status();
      group = *joined;
    }
    ends->rx.push_back(*std::move(rx));
    auto tx = PacketTx::Open(
        {.index = request.index, .mtu = request.mtu, .mark = 0, .bypass = true, .prefix = {}});
    if (!tx.ok()) return tx.status();
    ends->tx.push_back(*std::move(tx));
  }
  if (absl::Status opened = OpenEndsToStack(request, ends.get()); !opened.ok()) return opened;
  return ends;
}

}  // namespace twinpath
