// SPDX-License-Identifier: BSD-3-Clause
// RTM_GETLINK: see rtnetlink(7) and linux/if_link.h.

#include "src/kernel/link/interfaces.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

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
      if (length >= offsetof(rtnl_link_stats64, tx_dropped) + sizeof(link->tx_dropped))
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

// Asks about the interface with this index; with NLM_F_DUMP among `flags` about all.
std::vector<Link> Ask(uint32_t index, uint16_t flags) {
  NetlinkMessage message(RTM_GETLINK, static_cast<uint16_t>(NLM_F_REQUEST | flags));
  ifinfomsg wanted = {};
  wanted.ifi_index = static_cast<int>(index);
  message.Append(&wanted, sizeof(wanted));
  std::vector<Link> links;
  message.Request(NETLINK_ROUTE, [&links](const uint8_t* data, size_t size) {
    ifinfomsg header;
    if (size < sizeof(header)) return;
    std::memcpy(&header, data, sizeof(header));
    Link link;
    link.index = static_cast<uint32_t>(header.ifi_index);
    link.flags = header.ifi_flags;
    ForEachAttribute(data + sizeof(header), size - sizeof(header),
                     [&link](uint16_t type, const uint8_t* value, size_t length) {
                       ReadAttribute(type, value, length, &link);
                     });
    links.push_back(link);
  });
  return links;
}

}  // namespace

std::optional<Link> ReadLink(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const uint32_t index = if_nametoindex(name.c_str());
  if (index == 0) return std::nullopt;
  const std::vector<Link> links = Ask(index, NLM_F_ACK);
  if (links.empty()) return std::nullopt;
  return links.front();
}

std::vector<Link> ReadLinks() {
  std::vector<Link> links = Ask(0, NLM_F_DUMP);
  std::sort(links.begin(), links.end(),
            [](const Link& a, const Link& b) { return a.index < b.index; });
  return links;
}

}  // namespace twinpath
