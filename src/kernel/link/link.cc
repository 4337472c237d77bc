// SPDX-License-Identifier: BSD-3-Clause
// RTM_GETLINK: see rtnetlink(7) and linux/if_link.h.

#include "src/kernel/link/link.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <utility>

#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

// The maximum length of an alternative name in bytes (linux/if.h: ALTIFNAMSIZ).
constexpr size_t kLongestName = 127;

std::string TextOf(const uint8_t* data, size_t length) {
  return std::string(reinterpret_cast<const char*>(data),
                     strnlen(reinterpret_cast<const char*>(data), length));
}

std::string AddressOf(const uint8_t* data, size_t length) {
  std::string text;
  for (size_t i = 0; i < length; i++) {
    char part[4];
    std::snprintf(part, sizeof(part), "%s%02x", i == 0 ? "" : ":", data[i]);
    text += part;
  }
  return text;
}

void ReadAttribute(uint16_t type, const uint8_t* data, size_t length, Link* link) {
  uint32_t number = 0;
  if (length == sizeof(number)) std::memcpy(&number, data, sizeof(number));
  switch (type) {
    case IFLA_IFNAME:
      link->name = TextOf(data, length);
      break;
    case IFLA_ADDRESS:
      link->address = AddressOf(data, length);
      break;
    case IFLA_MTU:
      link->mtu = number;
      break;
    case IFLA_NUM_RX_QUEUES:
      link->rx_queues = number;
      break;
    case IFLA_NUM_TX_QUEUES:
      link->tx_queues = number;
      break;
    case IFLA_LINK:
      link->lower = number;
      break;
    case IFLA_LINK_NETNSID:
      link->elsewhere = true;
      break;
    case IFLA_MASTER:
      link->master = number;
      break;
    case IFLA_STATS64:
      if (length < offsetof(rtnl_link_stats64, tx_dropped) + sizeof(link->tx_dropped)) break;
      std::memcpy(&link->tx_packets, data + offsetof(rtnl_link_stats64, tx_packets),
                  sizeof(link->tx_packets));
      std::memcpy(&link->tx_dropped, data + offsetof(rtnl_link_stats64, tx_dropped),
                  sizeof(link->tx_dropped));
      break;
    case IFLA_LINKINFO:
      ForEachAttribute(data, length, [link](uint16_t nested, const uint8_t* value, size_t size) {
        if (nested == IFLA_INFO_KIND) link->kind = TextOf(value, size);
      });
      break;
    default:
      break;
  }
}

Link ParseLink(const uint8_t* data, size_t size) {
  Link link;
  ifinfomsg header = {};
  std::memcpy(&header, data, sizeof(header));
  link.index = static_cast<uint32_t>(header.ifi_index);
  link.flags = header.ifi_flags;
  ForEachAttribute(data + sizeof(header), size - sizeof(header),
                   [&link](uint16_t type, const uint8_t* value, size_t length) {
                     ReadAttribute(type, value, length, &link);
                   });
  return link;
}

// Sends RTM_GETLINK for the interface with this index, or if the index is 0 with this name; with
// NLM_F_DUMP for all interfaces.
std::vector<Link> AskForLinks(uint32_t index, const std::string& name, uint16_t flags) {
  NetlinkMessage request(RTM_GETLINK, static_cast<uint16_t>(NLM_F_REQUEST | flags));
  ifinfomsg header = {};
  header.ifi_index = static_cast<int>(index);
  request.Append(&header, sizeof(header));
  // The kernel looks for both kinds of names, whichever attribute has the name. Kernels before 5.5
  // know only IFLA_IFNAME.
  if (!name.empty())
    request.Attribute(name.size() < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
  std::vector<Link> links;
  request.Request(NETLINK_ROUTE, [&links](const uint8_t* data, size_t size) {
    if (size >= sizeof(ifinfomsg)) links.push_back(ParseLink(data, size));
  });
  return links;
}

std::optional<Link> AskForLink(uint32_t index, const std::string& name) {
  std::vector<Link> links = AskForLinks(index, name, NLM_F_ACK);
  if (links.empty()) return std::nullopt;
  return std::move(links.front());
}

}  // namespace

std::optional<Link> ReadLink(uint32_t index) {
  if (index == 0) return std::nullopt;
  return AskForLink(index, "");
}

std::optional<Link> FindLink(const std::string& name) {
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  return AskForLink(0, name);
}

std::vector<Link> ReadLinks() {
  std::vector<Link> links = AskForLinks(0, "", NLM_F_DUMP);
  std::sort(links.begin(), links.end(),
            [](const Link& a, const Link& b) { return a.index < b.index; });
  return links;
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
