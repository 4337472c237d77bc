// SPDX-License-Identifier: BSD-3-Clause
// Uses ioctl and netlink instead of /sys, which may show another network namespace.

#include "src/kernel/link/interface.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"
#include "src/kernel/machine.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {

bool TakesNativeFrames(const Interface& interface) {
  return XdpFeatures(interface.index).value_or(kXdpXmit) & kXdpXmit;
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
