// SPDX-License-Identifier: BSD-3-Clause
// A packet socket that receives nothing, with PACKET_MR_PROMISC of packet(7).

#include "src/kernel/promiscuous.h"

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
  return Promiscuous(std::move(socket));
}

}  // namespace twinpath
