// SPDX-License-Identifier: BSD-3-Clause
// Receives by a TPACKET_V3 ring (the kernel's Documentation/networking/packet_mmap.rst): the kernel
// fills blocks with frames one behind the other, and hands a block over when it is full, or a
// millisecond after its first frame. So a frame may wait for up to some 2 ms where few come.

#ifndef TWINPATH_SOCKETS_PACKET_PACKET_RX_H_
#define TWINPATH_SOCKETS_PACKET_PACKET_RX_H_

#include <linux/if_packet.h>

#include <memory>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/sockets/engine.h"
#include "src/sockets/packet/packet_socket.h"

namespace twinpath {

class PacketRx : public RxQueue {
 public:
  // The socket is bound, and takes nothing before Begin.
  static absl::StatusOr<std::unique_ptr<PacketRx>> Open(uint32_t index, uint32_t without_mark);

  uint32_t Receive(SocketFrame* frames, uint32_t most) override;
  int fd() const override { return socket_.get(); }
  absl::Status Begin() override { return TakeIncoming(socket_.get(), without_mark_); }
  void End() override { (void)TakeNothing(socket_.get()).ok(); }
  RingLosses Losses() override;

  // Joins the fanout group, in which the frames of an interface are spread by a hash that is the
  // same for both directions of a flow; 0: makes one. Returns the group.
  absl::StatusOr<uint16_t> JoinFanout(uint16_t group);

 private:
  PacketRx() = default;
  absl::Status MakeRing();
  tpacket_block_desc* block() const;
  void GiveBlockBack();
  static SocketFrame FrameOf(tpacket3_hdr* header);

  FileDescriptor socket_;
  Mapping ring_;  // unmapped before the socket is closed
  uint32_t without_mark_ = 0;
  uint32_t block_ = 0;  // the one that is read, or that comes next
  uint32_t left_ = 0;   // frames of it that were not received yet
  bool held_ = false;   // it is ours
  uint8_t* next_ = nullptr;
  RingLosses losses_;  // control: rw
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PACKET_PACKET_RX_H_
