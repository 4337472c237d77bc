// SPDX-License-Identifier: BSD-3-Clause
// The kernel takes slots in order (tpacket_snd in net/packet/af_packet.c). It leaves the status of
// a slot that it could not send, and comes back to that slot. So what was refused is known, frame
// by frame.

#include "src/sockets/packet/packet_tx.h"

#include <linux/if_ether.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace twinpath {
namespace {

constexpr uint32_t kSlots = 256;
constexpr uint32_t kBlockBytes = 1 << 16;
constexpr uint32_t kHeader = TPACKET_ALIGN(sizeof(tpacket2_hdr));
constexpr uint32_t kLinkHeader = ETH_HLEN + 4;  // Ethernet's, and a VLAN tag's
constexpr int kRetries = 8;
constexpr int kSendBuffer = 1 << 23;

uint32_t StatusOf(const tpacket2_hdr* slot) {
  return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
}

void SetStatus(tpacket2_hdr* slot, uint32_t status) {
  __atomic_store_n(&slot->tp_status, status, __ATOMIC_RELEASE);
}

// The kernel's note of an unfinished checksum, if there is one. The kernel copies as many bytes of
// the frame as header_length says, and refers to the rest where it is in the slot. A veth gives the
// slot back before the frame was read, so all of the frame is to be copied.
FrameNote NoteOf(const SocketFrame& frame) {
  FrameNote note = {};
  if (frame.segments()) return frame.note;
  note.header_length = static_cast<uint16_t>(std::min<uint32_t>(frame.length, UINT16_MAX));
  if ((frame.note.flags & FrameNote::kUnfinished) == 0) return note;
  note.flags = FrameNote::kUnfinished;
  note.checksum_start = frame.note.checksum_start;
  note.checksum_offset = frame.note.checksum_offset;
  return note;
}

bool IsGone(int error) { return error == ENXIO || error == ENODEV; }

}  // namespace

absl::StatusOr<std::unique_ptr<PacketTx>> PacketTx::Open(const Options& options) {
  std::unique_ptr<PacketTx> tx(new PacketTx);
  tx->prefix_ = options.prefix;
  for (FileDescriptor* socket : {&tx->socket_, &tx->alone_}) {
    auto opened = OpenPacketSocket();
    if (!opened.ok()) return opened.status();
    *socket = *std::move(opened);
    const int on = 1;
    absl::Status done = SetPacket(*socket, PACKET_VNET_HDR, on, "PACKET_VNET_HDR");
    if (done.ok() && options.bypass)
      done = SetPacket(*socket, PACKET_QDISC_BYPASS, on, "PACKET_QDISC_BYPASS");
    if (!done.ok()) return done;
    (void)setsockopt(socket->get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBuffer, sizeof(kSendBuffer));
    if (options.mark != 0 &&
        setsockopt(socket->get(), SOL_SOCKET, SO_MARK, &options.mark, sizeof(options.mark)) != 0)
      return absl::ErrnoToStatus(errno, "SO_MARK");
  }
  if (absl::Status made = tx->MakeRing(options.mtu); !made.ok()) return made;
  for (const FileDescriptor* socket : {&tx->socket_, &tx->alone_})
    if (absl::Status bound = BindPacket(*socket, options.index, 0); !bound.ok()) return bound;
  return tx;
}

absl::Status PacketTx::MakeRing(uint32_t mtu) {
  const int version = TPACKET_V2;
  absl::Status done = SetPacket(socket_, PACKET_VERSION, version, "TPACKET_V2");
  slot_bytes_ =
      std::bit_ceil(kHeader + static_cast<uint32_t>(sizeof(FrameNote)) + kLinkHeader +
                    static_cast<uint32_t>(prefix_.size()) + std::min(mtu, uint32_t{UINT16_MAX}));
  const uint32_t block = std::max(kBlockBytes, slot_bytes_);
  tpacket_req request = {};
  request.tp_block_size = block;
  request.tp_block_nr = kSlots / (block / slot_bytes_);
  request.tp_frame_size = slot_bytes_;
  request.tp_frame_nr = kSlots;
  if (done.ok()) done = SetPacket(socket_, PACKET_TX_RING, request, "PACKET_TX_RING");
  if (!done.ok()) return done;
  auto ring = Mapping::Of(socket_, size_t{slot_bytes_} * kSlots);
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  return done;
}

tpacket2_hdr* PacketTx::slot(uint32_t number) const {
  return reinterpret_cast<tpacket2_hdr*>(ring_.data() + size_t{number % kSlots} * slot_bytes_);
}

bool PacketTx::Fits(const SocketFrame& frame) const {
  const size_t room = slot_bytes_ - kHeader - sizeof(FrameNote) - prefix_.size();
  return !frame.segments() && frame.length <= room;
}

// Copies a frame to the next slot; false: the slot is in use.
bool PacketTx::Put(const SocketFrame& frame) {
  tpacket2_hdr* to = slot(first_ + pending_);
  if (StatusOf(to) != TP_STATUS_AVAILABLE) return false;
  uint8_t* at = reinterpret_cast<uint8_t*>(to) + kHeader;
  FrameNote note = NoteOf(frame);
  note.header_length = static_cast<uint16_t>(note.header_length + prefix_.size());
  std::memcpy(at, &note, sizeof(note));
  at = std::copy(prefix_.begin(), prefix_.end(), at + sizeof(note));
  std::memcpy(at, frame.data, frame.length);
  to->tp_len = static_cast<uint32_t>(sizeof(note) + prefix_.size()) + frame.length;
  SetStatus(to, TP_STATUS_SEND_REQUEST);
  return true;
}

// The delivery of the first pending frame, which leaves its slot.
void PacketTx::Settle(tp_delivery delivery) {
  *deliveries_[0] = delivery;
  std::copy(frames_ + 1, frames_ + pending_, frames_);
  std::copy(deliveries_ + 1, deliveries_ + pending_, deliveries_);
  pending_--;
  first_ = (first_ + 1) % kSlots;
}

// The kernel refuses the first pending frame, and waits at its slot for another one.
void PacketTx::DropFirst() {
  for (uint32_t i = 0; i < pending_; i++) SetStatus(slot(first_ + i), TP_STATUS_AVAILABLE);
  const uint32_t rest = pending_ - 1, at = first_;
  Settle(TP_REFUSED);
  first_ = at;
  for (pending_ = 0; pending_ < rest; pending_++) Put(*frames_[pending_]);
}

// Sends what is pending. Afterwards nothing is.
void PacketTx::Flush() {
  int error = 0;
  for (int tries = 0; pending_ > 0 && tries < kRetries; tries++) {
    error = sendto(socket_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
    uint32_t taken = 0;
    while (taken < pending_) {
      const uint32_t status = StatusOf(slot(first_ + taken));
      if ((status & (TP_STATUS_SEND_REQUEST | TP_STATUS_WRONG_FORMAT)) != 0) break;
      *deliveries_[taken++] = TP_DELIVERED;
    }
    std::copy(frames_ + taken, frames_ + pending_, frames_);
    std::copy(deliveries_ + taken, deliveries_ + pending_, deliveries_);
    pending_ -= taken;
    first_ = (first_ + taken) % kSlots;
    if (pending_ > 0 && (StatusOf(slot(first_)) & TP_STATUS_WRONG_FORMAT) != 0) {
      DropFirst();
      tries = -1;
    } else if (error == ENETDOWN || IsGone(error)) {
      break;
    }
  }
  for (uint32_t i = 0; i < pending_; i++) {
    SetStatus(slot(first_ + i), TP_STATUS_AVAILABLE);
    *deliveries_[i] = IsGone(error) ? TP_NOWHERE : TP_REFUSED;
  }
  pending_ = 0;  // the kernel is at first_, which is the next slot
}

tp_delivery PacketTx::Refusal(int error) {
  too_long_ += error == EMSGSIZE ? 1 : 0;
  return IsGone(error) ? TP_NOWHERE : TP_REFUSED;
}

tp_delivery PacketTx::SendAlone(const SocketFrame& frame) {
  FrameNote note = NoteOf(frame);
  iovec parts[] = {
      {&note, sizeof(note)}, {prefix_.data(), prefix_.size()}, {frame.data, frame.length}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = std::size(parts);
  int error = 0;
  for (int tries = 0; tries < kRetries; tries++) {
    if (sendmsg(alone_.get(), &message, MSG_DONTWAIT) >= 0) return TP_DELIVERED;
    error = errno;
    if (error != EAGAIN && error != ENOBUFS) break;
  }
  return Refusal(error);
}

void PacketTx::Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) {
  for (uint32_t i = 0; i < count; i++) {
    if (frames[i]->cut() || IsTooLong(*frames[i])) {
      deliveries[i] = Refusal(EMSGSIZE);
      continue;
    }
    if (!Fits(*frames[i])) {
      Flush();  // so that frames stay in order
      deliveries[i] = SendAlone(*frames[i]);
      continue;
    }
    if (pending_ == kMaxBurst || !Put(*frames[i])) {
      Flush();
      if (!Put(*frames[i])) {
        deliveries[i] = TP_REFUSED;
        continue;
      }
    }
    frames_[pending_] = frames[i];
    deliveries_[pending_++] = &deliveries[i];
  }
  Flush();
}

}  // namespace twinpath
