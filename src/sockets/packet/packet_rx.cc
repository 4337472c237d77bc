// SPDX-License-Identifier: BSD-3-Clause
// The ring of blocks.

#include "src/sockets/packet/packet_rx.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace twinpath {
namespace {

// A block holds the longest frame that GRO makes by default, and 64 blocks last for 64 ms where few
// frames come and the worker does not run.
constexpr uint32_t kBlockBytes = 1 << 18, kBlocks = 64;
constexpr uint32_t kRetireMs = 1;
constexpr uint32_t kSlot = 2048;     // has no meaning for a ring of blocks, but must divide them
constexpr int kIgnoreOutgoing = 23;  // PACKET_IGNORE_OUTGOING, since 4.20
constexpr uint32_t kFanoutIgnoreOutgoing =
    0x4000;  // PACKET_FANOUT_FLAG_IGNORE_OUTGOING, since 5.12
constexpr uint32_t kMacs = 2 * ETH_ALEN, kTag = 4;

}  // namespace

absl::StatusOr<std::unique_ptr<PacketRx>> PacketRx::Open(uint32_t index, uint32_t without_mark) {
  std::unique_ptr<PacketRx> rx(new PacketRx);
  rx->without_mark_ = without_mark;
  auto socket = OpenPacketSocket();
  if (!socket.ok()) return socket.status();
  rx->socket_ = *std::move(socket);
  if (absl::Status made = rx->MakeRing(); !made.ok()) return made;
  const int one = 1;
  (void)SetPacket(rx->socket_, kIgnoreOutgoing, one, "").ok();  // else the filter rejects them
  if (absl::Status none = TakeNothing(rx->socket_.get()); !none.ok()) return none;
  if (absl::Status bound = BindPacket(rx->socket_, index, ETH_P_ALL); !bound.ok()) return bound;
  return rx;
}

absl::Status PacketRx::MakeRing() {
  const int version = TPACKET_V3, on = 1;
  absl::Status done = SetPacket(socket_, PACKET_VERSION, version, "TPACKET_V3");
  if (done.ok()) done = SetPacket(socket_, PACKET_VNET_HDR, on, "PACKET_VNET_HDR");
  tpacket_req3 request = {};
  request.tp_block_size = kBlockBytes;
  request.tp_block_nr = kBlocks;
  request.tp_frame_size = kSlot;
  request.tp_frame_nr = kBlockBytes / kSlot * kBlocks;
  request.tp_retire_blk_tov = kRetireMs;
  if (done.ok()) done = SetPacket(socket_, PACKET_RX_RING, request, "PACKET_RX_RING");
  if (!done.ok()) return done;
  auto ring = Mapping::Of(socket_, size_t{kBlockBytes} * kBlocks);
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  return done;
}

absl::StatusOr<uint16_t> PacketRx::JoinFanout(uint16_t group) {
  uint32_t how = PACKET_FANOUT_HASH | kFanoutIgnoreOutgoing;
  if (group == 0) how |= PACKET_FANOUT_FLAG_UNIQUEID;
  const uint32_t request = group | how << 16;
  if (absl::Status joined = SetPacket(socket_, PACKET_FANOUT, request, "PACKET_FANOUT");
      !joined.ok())
    return joined;
  uint32_t found = 0;
  socklen_t size = sizeof(found);
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_FANOUT, &found, &size) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_FANOUT");
  return static_cast<uint16_t>(found);
}

tpacket_block_desc* PacketRx::block() const {
  return reinterpret_cast<tpacket_block_desc*>(ring_.data() + size_t{block_} * kBlockBytes);
}

void PacketRx::GiveBlockBack() {
  __atomic_store_n(&block()->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  block_ = (block_ + 1) % kBlocks;
  held_ = false;
}

// Puts a VLAN tag back that the kernel took out: in place of the header that was in front of the
// frame, and is read already.
SocketFrame PacketRx::FrameOf(tpacket3_hdr* header) {
  SocketFrame frame = {.data = reinterpret_cast<uint8_t*>(header) + header->tp_mac,
                       .length = header->tp_snaplen,
                       .frame_length = header->tp_len};
  std::memcpy(&frame.note, frame.data - sizeof(frame.note), sizeof(frame.note));
  if ((header->tp_status & TP_STATUS_VLAN_VALID) == 0 || frame.length < kMacs) return frame;
  static_assert(sizeof(frame.note) >= kTag);
  const uint16_t type =
      htons(header->tp_status & TP_STATUS_VLAN_TPID_VALID ? header->hv1.tp_vlan_tpid
                                                          : uint16_t{ETH_P_8021Q});
  const uint16_t tag = htons(static_cast<uint16_t>(header->hv1.tp_vlan_tci));
  frame.data -= kTag;
  frame.length += kTag;
  frame.frame_length += kTag;
  std::memmove(frame.data, frame.data + kTag, kMacs);
  std::memcpy(frame.data + kMacs, &type, sizeof(type));
  std::memcpy(frame.data + kMacs + sizeof(type), &tag, sizeof(tag));
  if (frame.note.flags & FrameNote::kUnfinished)
    frame.note.checksum_start = static_cast<uint16_t>(frame.note.checksum_start + kTag);
  if (frame.segments())
    frame.note.header_length = static_cast<uint16_t>(frame.note.header_length + kTag);
  return frame;
}

uint32_t PacketRx::Receive(SocketFrame* frames, uint32_t most) {
  if (held_ && left_ == 0) GiveBlockBack();
  if (!held_) {
    const tpacket_hdr_v1& header = block()->hdr.bh1;
    if ((__atomic_load_n(&header.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) return 0;
    held_ = true;
    left_ = header.num_pkts;
    next_ = reinterpret_cast<uint8_t*>(block()) + header.offset_to_first_pkt;
  }
  uint32_t count = 0;
  for (; count < most && left_ > 0; count++, left_--) {
    auto* header = reinterpret_cast<tpacket3_hdr*>(next_);
    next_ += header->tp_next_offset;  // before the tag is put back, which may write over it
    frames[count] = FrameOf(header);
  }
  return count;
}

RingLosses PacketRx::Losses() {
  tpacket_stats_v3 since = {};  // since the last call
  socklen_t size = sizeof(since);
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &since, &size) == 0)
    losses_.full += since.tp_drops;
  return losses_;
}

}  // namespace twinpath
