// SPDX-License-Identifier: BSD-3-Clause
// pcap_inject. On Linux it is a send(2), whose errno it leaves.

#include "src/sockets/pcap/pcap_tx.h"

#include <cerrno>
#include <utility>

namespace twinpath {
namespace {

constexpr int kLeastBuffer = 1 << 16;  // of a handle that receives nothing
constexpr int kRetries = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<PcapTx>> PcapTx::Open(uint32_t index) {
  auto handle = OpenPcap(index, kLeastBuffer);
  if (!handle.ok()) return handle.status();
  std::unique_ptr<PcapTx> tx(new PcapTx);
  tx->handle_ = *std::move(handle);
  return tx;
}

tp_delivery PcapTx::SendOne(const SocketFrame& frame) {
  if (frame.cut() || IsTooLong(frame)) {
    too_long_++;
    return TP_REFUSED;
  }
  for (int tries = 0; tries < kRetries; tries++) {
    errno = 0;
    if (pcap_inject(handle_.get(), frame.data, frame.length) >= 0) return TP_DELIVERED;
    if (errno == ENXIO || errno == ENODEV) return TP_NOWHERE;
    if (errno == EMSGSIZE) too_long_++;
    // ENETDOWN also tells, once, that the interface was down in between.
    if (errno != EAGAIN && errno != ENOBUFS && errno != ENETDOWN) break;
  }
  return TP_REFUSED;
}

void PcapTx::Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) {
  for (uint32_t i = 0; i < count; i++) deliveries[i] = SendOne(*frames[i]);
}

}  // namespace twinpath
