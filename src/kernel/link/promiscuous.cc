// SPDX-License-Identifier: BSD-3-Clause
// Uses a packet socket that receives nothing, with PACKET_MR_PROMISC of packet(7).

#include "src/kernel/link/promiscuous.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>

namespace twinpath {

absl::StatusOr<Promiscuous> Promiscuous::Hold(uint32_t index) {
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));  // 0: no protocol
  if (socket.get() < 0) return absl::ErrnoToStatus(errno, "socket(AF_PACKET)");
  packet_mreq membership = {};
  membership.mr_ifindex = static_cast<int>(index);
  membership.mr_type = PACKET_MR_PROMISC;
  if (setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership,
                 sizeof(membership)) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_MR_PROMISC");
  // Binds the socket because the kernel marks a bound socket when its interface disappears.
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(index);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return absl::ErrnoToStatus(errno, "bind(AF_PACKET)");
  return Promiscuous(std::move(socket));
}

bool Promiscuous::Holds() const {
  sockaddr_ll address = {};
  socklen_t length = sizeof(address);
  return getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
         address.sll_ifindex > 0;
}

}  // namespace twinpath
