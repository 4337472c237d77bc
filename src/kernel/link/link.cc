// SPDX-License-Identifier: BSD-3-Clause
// By ioctl and rtnetlink: /sys may show another network namespace's interfaces.

#include "src/kernel/link/link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>

#include "src/kernel/file_descriptor.h"
#include "src/kernel/machine.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

// The most bytes that an alternative name may have (linux/if.h: ALTIFNAMSIZ).
constexpr size_t kLongestName = 127;

// Copies a value that lies `at` bytes into an attribute. Kernels may send more than we know of.
template <typename Value>
void Copy(const uint8_t* data, size_t length, size_t at, Value* value) {
  if (length >= at + sizeof(*value)) std::memcpy(value, data + at, sizeof(*value));
}

LinkFacts ParseLink(const uint8_t* data, size_t size) {
  LinkFacts link;
  ifinfomsg header = {};
  std::memcpy(&header, data, sizeof(header));
  link.index = static_cast<uint32_t>(header.ifi_index);
  link.flags = header.ifi_flags;
  ForEachAttribute(data + sizeof(header), size - sizeof(header),
                   [&link](uint16_t type, const uint8_t* value, size_t length) {
                     if (type == IFLA_IFNAME) link.name = reinterpret_cast<const char*>(value);
                     if (type == IFLA_MTU) Copy(value, length, 0, &link.mtu);
                     if (type == IFLA_MASTER) Copy(value, length, 0, &link.master);
                     if (type == IFLA_STATS64)
                       Copy(value, length, offsetof(rtnl_link_stats64, tx_dropped),
                            &link.tx_dropped);
                   });
  return link;
}

// Sends RTM_GETLINK for the interface with this number or, where that is 0, this name.
std::optional<LinkFacts> AskForLink(uint32_t index, const std::string& name) {
  NetlinkMessage request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK);
  ifinfomsg header = {};
  header.ifi_index = static_cast<int>(index);
  request.Append(&header, sizeof(header));
  // The kernel looks for both kinds of names, whichever attribute has the name. Kernels before 5.5
  // know the first one only.
  if (index == 0) request.Attribute(name.size() < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
  std::optional<LinkFacts> link;
  const int error = request.Request(NETLINK_ROUTE, [&link](const uint8_t* data, size_t size) {
    if (size >= sizeof(ifinfomsg)) link = ParseLink(data, size);
  });
  return error == 0 ? link : std::nullopt;
}

}  // namespace

std::string LinkState(uint32_t index) {
  ifreq request = {};  // with the current name
  if (!if_indextoname(index, request.ifr_name)) return kLinkGone;
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 || ioctl(socket.get(), SIOCGIFFLAGS, &request)) return kLinkGone;
  return request.ifr_flags & IFF_RUNNING ? kLinkUp : kLinkDown;
}

std::optional<LinkFacts> ReadLink(uint32_t index) {
  return index == 0 ? std::nullopt : AskForLink(index, "");
}

std::optional<LinkFacts> FindLink(const std::string& name) {
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  return AskForLink(0, name);
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

uint32_t IndexOfLink(const std::string& name) {
  const auto link = FindLink(name);
  return link.has_value() ? link->index : 0;
}

std::string NameOfLink(uint32_t index) {
  char name[IF_NAMESIZE];
  return if_indextoname(index, name) != nullptr ? name : "";
}

}  // namespace twinpath
