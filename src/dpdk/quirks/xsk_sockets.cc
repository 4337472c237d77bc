// SPDX-License-Identifier: BSD-3-Clause
// Finds the sockets in /proc/self/fd and reads them with getsockopt and getsockname. Control
// thread.

#include "src/dpdk/quirks/xsk_sockets.h"

#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace twinpath {
namespace {

std::vector<int> SocketsOf(int wanted) {
  std::vector<int> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    int domain = 0;
    socklen_t length = sizeof(domain);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == wanted)
      found.push_back(fd);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::vector<int> XskSockets() { return SocketsOf(AF_XDP); }

std::vector<int> PacketSockets() { return SocketsOf(AF_PACKET); }

bool PacketSocketBound(int fd) {
  sockaddr_ll address = {};
  socklen_t length = sizeof(address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
         address.sll_ifindex != -1;
}

bool XskIsZeroCopy(int fd) {
  xdp_options options = {};
  socklen_t length = sizeof(options);
  return getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &length) == 0 &&
         options.flags & XDP_OPTIONS_ZEROCOPY;
}

// Neither socket options nor poll(2) report this; recv does. The call reads no frame, because
// frames arrive only in the rings.
bool XskBound(int fd) {
  char none = 0;
  return recv(fd, &none, 0, MSG_DONTWAIT) == 0 || errno != ENXIO;
}

XskDrops ReadXskDrops(int fd) {
  xdp_statistics statistics = {};
  socklen_t length = sizeof(statistics);
  if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &statistics, &length) != 0) return {};
  return {.rx_dropped = statistics.rx_dropped,
          .rx_ring_full = statistics.rx_ring_full,
          .rx_fill_ring_empty = statistics.rx_fill_ring_empty_descs,
          .tx_invalid = statistics.tx_invalid_descs};
}

}  // namespace twinpath
