// SPDX-License-Identifier: BSD-3-Clause
// Interfaces, by ioctl and netlink rather than by path: /sys may show another network namespace's.

#include "src/xdp/attach/interface.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link.h"
#include "src/kernel/machine.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

// The generic netlink family that tells of network devices, as linux/netdev.h has it since 6.3.
constexpr char kNetdevFamily[] = "netdev";
constexpr uint8_t kDevGet = 1;
constexpr uint16_t kDevIfindex = 1, kDevXdpFeatures = 3;

// A generic netlink message, up to its attributes.
NetlinkMessage GenericMessage(uint16_t family, uint8_t command) {
  NetlinkMessage message(family, NLM_F_REQUEST | NLM_F_ACK);
  const genlmsghdr header = {.cmd = command, .version = 1, .reserved = 0};
  message.Append(&header, sizeof(header));
  return message;
}

// Sends it, and copies attribute `type` of the answer to *value.
template <typename Value>
void AskFor(NetlinkMessage message, uint16_t type, Value* value) {
  message.Request(NETLINK_GENERIC, [&](const uint8_t* data, size_t size) {
    if (size < sizeof(genlmsghdr)) return;
    ForEachAttribute(data + sizeof(genlmsghdr), size - sizeof(genlmsghdr),
                     [&](uint16_t found, const uint8_t* octets, size_t length) {
                       if (found == type && length == sizeof(*value))
                         std::memcpy(value, octets, length);
                     });
  });
}

}  // namespace

std::optional<uint64_t> XdpFeatures(const Interface& interface) {
  uint16_t family = 0;
  NetlinkMessage find = GenericMessage(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  find.Attribute(CTRL_ATTR_FAMILY_NAME, kNetdevFamily);
  AskFor(std::move(find), CTRL_ATTR_FAMILY_ID, &family);
  if (family == 0) return std::nullopt;
  uint64_t features = UINT64_MAX;
  NetlinkMessage get = GenericMessage(family, kDevGet);
  get.Attribute(kDevIfindex, interface.index);
  AskFor(std::move(get), kDevXdpFeatures, &features);
  if (features == UINT64_MAX) return std::nullopt;
  return features;
}

bool TakesNativeFrames(const Interface& interface) {
  return XdpFeatures(interface).value_or(kXdpXmit) & kXdpXmit;
}

absl::StatusOr<Interface> FindInterface(const std::string& port, const std::string& name) {
  const auto link = FindLink(name);
  if (!link.has_value())
    return absl::NotFoundError(
        absl::StrCat("port ", port, ": there is no interface ", name, " (ip link shows them)"));
  Interface interface = {.name = link->name, .index = link->index};
  interface.driver = EthtoolDriver(link->name);
  interface.rx_queues = std::max(Machine().InterfaceRxQueues(link->name), 1U);
  return interface;
}

}  // namespace twinpath
