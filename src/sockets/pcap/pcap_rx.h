// SPDX-License-Identifier: BSD-3-Clause
// Receives by libpcap, which lends a frame for as long as a callback runs. So frames are copied,
// because a burst of them is decided together.

#ifndef TWINPATH_SOCKETS_PCAP_PCAP_RX_H_
#define TWINPATH_SOCKETS_PCAP_PCAP_RX_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/sockets/engine.h"
#include "src/sockets/packet/packet_socket.h"
#include "src/sockets/pcap/pcap_handle.h"

namespace twinpath {

class PcapRx : public RxQueue {
 public:
  static absl::StatusOr<std::unique_ptr<PcapRx>> Open(uint32_t index, uint32_t without_mark);

  uint32_t Receive(SocketFrame* frames, uint32_t most) override;
  int fd() const override { return pcap_get_selectable_fd(handle_.get()); }
  absl::Status Begin() override { return TakeIncoming(pcap_fileno(handle_.get()), without_mark_); }
  void End() override { (void)TakeNothing(pcap_fileno(handle_.get())).ok(); }
  RingLosses Losses() override;

 private:
  PcapRx() = default;
  void Take(const pcap_pkthdr& header, const uint8_t* bytes);

  PcapHandle handle_;
  uint32_t without_mark_ = 0;
  std::vector<uint8_t> memory_;  // of one burst
  size_t used_ = 0;
  SocketFrame* frames_ = nullptr;  // where Take puts the next one
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PCAP_PCAP_RX_H_
