// SPDX-License-Identifier: BSD-3-Clause
// The engine packet_mmap: TPACKET_V3 rings in, TX rings out, and for several queues a fanout group
// of sockets. Control thread.

#ifndef TWINPATH_SOCKETS_PACKET_PACKET_ENGINE_H_
#define TWINPATH_SOCKETS_PACKET_PACKET_ENGINE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/sockets/engine.h"

namespace twinpath {

class PacketEngine : public Engine {
 public:
  const char* name() const override { return "packet_mmap"; }
  absl::StatusOr<std::unique_ptr<PortEnds>> Open(const PortRequest& request) override;
  bool keeps_offloads() const override { return true; }
};

// Opens one end to the kernel's stack for each queue. Every engine uses this function. The ends
// send `prefix` (bytes) before each frame; an XDP program on the interface removes it. Errors name
// the call and the port.
absl::Status OpenEndsToStack(const PortRequest& request, PortEnds* ends,
                             const std::vector<uint8_t>& prefix = {});

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PACKET_PACKET_ENGINE_H_
