// SPDX-License-Identifier: BSD-3-Clause
// Sends by a TX ring of packet(7): frames are copied to its slots, and one system call sends a
// burst of them. Frames that fit into no slot, and segments that the kernel has to cut, go one by
// one by a socket without a ring.

#ifndef TWINPATH_SOCKETS_PACKET_PACKET_TX_H_
#define TWINPATH_SOCKETS_PACKET_PACKET_TX_H_

#include <linux/if_packet.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/engine/burst.h"
#include "src/kernel/file_descriptor.h"
#include "src/sockets/engine.h"
#include "src/sockets/packet/packet_socket.h"

namespace twinpath {

class PacketTx : public TxQueue {
 public:
  struct Options {
    uint32_t index = 0;   // of the interface
    uint32_t mtu = 1500;  // frames up to this and their headers have a slot
    uint32_t mark = 0;    // of the frames that are sent (SO_MARK); 0: none
    // Past the interface's queueing discipline and its programs of the classifier. Such a frame is
    // refused at once where the driver has no room.
    bool bypass = false;
    std::vector<uint8_t> prefix = {};  // bytes that are sent in front of each frame
  };
  static absl::StatusOr<std::unique_ptr<PacketTx>> Open(const Options& options);

  void Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) override;

 private:
  PacketTx() = default;
  absl::Status MakeRing(uint32_t mtu);
  tpacket2_hdr* slot(uint32_t number) const;
  bool Fits(const SocketFrame& frame) const;
  bool Put(const SocketFrame& frame);
  void Flush();
  void Settle(tp_delivery delivery);
  void DropFirst();
  tp_delivery SendAlone(const SocketFrame& frame);
  tp_delivery Refusal(int error);

  FileDescriptor socket_, alone_;  // with a ring, and without
  Mapping ring_;
  std::vector<uint8_t> prefix_;
  uint32_t slot_bytes_ = 0;
  uint32_t first_ = 0;  // slot of the first pending frame
  // Frames in slots from first_ on whose delivery is not known yet.
  uint32_t pending_ = 0;
  SocketFrame* frames_[kMaxBurst] = {};
  tp_delivery* deliveries_[kMaxBurst] = {};
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PACKET_PACKET_TX_H_
