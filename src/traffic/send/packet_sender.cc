// SPDX-License-Identifier: BSD-3-Clause
// Writes frames into buffers and sends them by one system call.

#include <linux/if_packet.h>
#include <net/if.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/kernel/clock.h"
#include "src/kernel/shell_word.h"
#include "src/traffic/send/packet_sender.h"

namespace twinpath {
namespace {

constexpr uint32_t kHeader = 18;       // Ethernet with a VLAN tag, which an MTU does not count
constexpr uint64_t kLook = 5'000'000;  // ns between two looks, which take some 20 us each

}  // namespace

void InterfaceCounts::Read() {
  looked_ = MonotonicNow();
  auto now = ReadLink(index_);
  gone_ = !now.has_value();
  if (!gone_) last_ = *std::move(now);
}

absl::Status InterfaceCounts::Check() {
  return MonotonicNow() < looked_ + kLook ? absl::OkStatus() : CheckNow();
}

absl::Status InterfaceCounts::CheckNow() {
  Read();
  if (gone_) return absl::UnavailableError(absl::StrCat(name_, " disappeared while it sent"));
  if (!(last_.flags & IFF_UP))
    return absl::UnavailableError(
        absl::StrCat(name_, " went down while it sent: ip link set ", ShellWord(name_), " up"));
  return absl::OkStatus();
}

uint64_t InterfaceCounts::Dropped(uint64_t handed) {
  constexpr int kLooks = 50;
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 10'000'000};
  uint64_t dropped = 0, unsent = 0;
  for (int look = 0; look < kLooks; look++) {
    if (look > 0) nanosleep(&kPause, nullptr);
    Read();
    const uint64_t sent = last_.tx_packets - before_.tx_packets;
    dropped = last_.tx_dropped - before_.tx_dropped;
    unsent = handed - std::min(handed, sent);
    if (unsent <= dropped || gone_) break;
  }
  return std::max(dropped, unsent);
}

absl::Status CheckLink(const Link& link, uint32_t longest) {
  if (!(link.flags & IFF_UP))
    return absl::FailedPreconditionError(
        absl::StrCat(link.name, " is down: ip link set ", ShellWord(link.name), " up"));
  if (!(link.flags & IFF_RUNNING))
    return absl::FailedPreconditionError(
        absl::StrCat(link.name, " has no carrier: its other end is down or not there"));
  if (longest > link.mtu + kHeader)
    return absl::FailedPreconditionError(absl::StrCat(
        "frames of ", longest, " bytes do not fit the MTU of ", link.name, ", which is ", link.mtu,
        ": ip link set ", ShellWord(link.name), " mtu ", longest - 14));
  return absl::OkStatus();
}

PacketSender::PacketSender(FileDescriptor socket, const Link& link, const FrameSource& source)
    : socket_(std::move(socket)),
      name_(link.name),
      source_(source),
      counts_(link.index, link.name),
      frames_(kMost, std::vector<uint8_t>(source.longest())),
      pieces_(kMost),
      messages_(kMost) {
  for (uint32_t i = 0; i < kMost; i++) {
    pieces_[i].iov_base = frames_[i].data();
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

absl::StatusOr<std::unique_ptr<PacketSender>> PacketSender::Create(const Link& link,
                                                                   const FrameSource& source) {
  if (absl::Status fits = CheckLink(link, source.longest()); !fits.ok()) return fits;
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));  // 0: receives nothing
  if (socket.get() < 0) return absl::ErrnoToStatus(errno, "socket(AF_PACKET)");
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(link.index);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("bind(AF_PACKET) to ", link.name));
  const int on = 1;
  if (setsockopt(socket.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_QDISC_BYPASS");
  return std::unique_ptr<PacketSender>(new PacketSender(std::move(socket), link, source));
}

absl::StatusOr<uint32_t> PacketSender::Send(uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    pieces_[i].iov_len = source_.Write(next_ + i, MonotonicNow(), frames_[i].data());
  const int sent = sendmmsg(socket_.get(), messages_.data(), count, 0);
  if (sent < 0 && errno != ENOBUFS) {
    const int error = errno;
    if (error == EINTR || error == EAGAIN) return 0;
    if (error == ENETDOWN || error == ENXIO || error == ENODEV)
      if (absl::Status there = counts_.CheckNow(); !there.ok()) return there;
    return absl::ErrnoToStatus(error, absl::StrCat("sendmmsg() out of ", name_));
  }
  // The call ends behind a frame that the device has no room for (ENOBUFS, which it hides where it
  // has sent others before). That frame is lost.
  const uint32_t taken = std::min(static_cast<uint32_t>(std::max(sent, 0)) + 1, count);
  refused_ += taken - static_cast<uint32_t>(std::max(sent, 0));
  next_ += taken;
  return taken;
}

// The kernel says of each frame whether the interface accepted it, so that is still known where
// the interface has disappeared with its counts.
uint64_t PacketSender::dropped() {
  const uint64_t counted = counts_.Dropped(next_);
  return counts_.gone() ? refused_ : std::max(refused_, counted);
}

}  // namespace twinpath
