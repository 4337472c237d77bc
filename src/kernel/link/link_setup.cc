// SPDX-License-Identifier: BSD-3-Clause
// Uses ioctl and rtnetlink, because /sys may show the interfaces of another network namespace.

#include "src/kernel/link/link_setup.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/link.h"
#include "src/kernel/machine.h"

namespace twinpath {

std::string LinkState(uint32_t index) {
  ifreq request = {};  // with the current name
  if (!if_indextoname(index, request.ifr_name)) return kLinkGone;
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 || ioctl(socket.get(), SIOCGIFFLAGS, &request)) return kLinkGone;
  return request.ifr_flags & IFF_RUNNING ? kLinkUp : kLinkDown;
}

std::optional<LinkSetup> ReadSetup(uint32_t index) {
  const auto link = ReadLink(index);
  if (!link.has_value()) return std::nullopt;
  return LinkSetup{.name = link->name,
                   .rx_queues = Machine().InterfaceRxQueues(link->name),
                   .mtu = link->mtu,
                   .master = link->master,
                   .offloads = InterfaceOffloads(link->name)};
}

}  // namespace twinpath
