// SPDX-License-Identifier: BSD-3-Clause

#include "src/kernel/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "src/kernel/file_descriptor.h"

namespace twinpath {
namespace {

// Runs `command`, whose first word is the command's number. False if the driver does not support
// it.
bool Ethtool(const std::string& name, void* command) {
  if (name.size() >= IFNAMSIZ) return false;
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return false;
  ifreq request = {};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_data = static_cast<char*>(command);
  return ioctl(fd.get(), SIOCETHTOOL, &request) == 0;
}

}  // namespace

Channels InterfaceChannels(const std::string& name) {
  ethtool_channels channels = {};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (!Ethtool(name, &channels)) return {};
  return {.combined = channels.combined_count,
          .rx = channels.rx_count,
          .tx = channels.tx_count,
          .max = channels.combined_count != 0 ? channels.max_combined : channels.max_rx};
}

ReceiveOffloads InterfaceOffloads(const std::string& name) {
  ethtool_value flags = {.cmd = ETHTOOL_GFLAGS, .data = 0}, gro = {.cmd = ETHTOOL_GGRO, .data = 0};
  if (!Ethtool(name, &flags)) flags.data = 0;
  if (!Ethtool(name, &gro)) gro.data = 0;
  return {.lro = (flags.data & ETH_FLAG_LRO) != 0,
          .gro = gro.data != 0,
          .vlan = (flags.data & ETH_FLAG_RXVLAN) != 0};
}

bool SetGro(const std::string& name, bool on) {
  ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = on};
  return Ethtool(name, &value);
}

std::string EthtoolDriver(const std::string& name) {
  ethtool_drvinfo info = {};
  info.cmd = ETHTOOL_GDRVINFO;
  return Ethtool(name, &info) ? info.driver : "";
}

std::string EthtoolBus(const std::string& name) {
  ethtool_drvinfo info = {};
  info.cmd = ETHTOOL_GDRVINFO;
  return Ethtool(name, &info) ? info.bus_info : "";
}

}  // namespace twinpath
