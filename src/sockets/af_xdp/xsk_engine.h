// SPDX-License-Identifier: BSD-3-Clause
// The engine af_xdp: an AF_XDP socket for each RX queue of an interface, without DPDK. Control
// thread.

#ifndef TWINPATH_SOCKETS_AF_XDP_XSK_ENGINE_H_
#define TWINPATH_SOCKETS_AF_XDP_XSK_ENGINE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "src/sockets/engine.h"

namespace twinpath {

class XskEngine : public Engine {
 public:
  const char* name() const override { return "af_xdp"; }
  // FailedPrecondition: the interface has another number of RX queues, a larger MTU than a chunk,
  // or an XDP program.
  absl::StatusOr<std::unique_ptr<PortEnds>> Open(const PortRequest& request) override;
  bool keeps_offloads() const override { return false; }
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_AF_XDP_XSK_ENGINE_H_
