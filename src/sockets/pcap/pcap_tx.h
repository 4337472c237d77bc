// SPDX-License-Identifier: BSD-3-Clause
// Sends by pcap_inject(3), a system call a frame.

#ifndef TWINPATH_SOCKETS_PCAP_PCAP_TX_H_
#define TWINPATH_SOCKETS_PCAP_PCAP_TX_H_

#include <memory>

#include "absl/status/statusor.h"
#include "src/sockets/engine.h"
#include "src/sockets/pcap/pcap_handle.h"

namespace twinpath {

class PcapTx : public TxQueue {
 public:
  static absl::StatusOr<std::unique_ptr<PcapTx>> Open(uint32_t index);
  void Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) override;

 private:
  PcapTx() = default;
  tp_delivery SendOne(const SocketFrame& frame);

  PcapHandle handle_;  // receives nothing
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PCAP_PCAP_TX_H_
