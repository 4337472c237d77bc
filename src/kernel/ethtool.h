// SPDX-License-Identifier: BSD-3-Clause
// Ethtool's ioctl: what a driver says of its interface. In the calling thread's network namespace;
// any thread.

#ifndef TWINPATH_KERNEL_ETHTOOL_H_
#define TWINPATH_KERNEL_ETHTOOL_H_

#include <cstdint>
#include <string>

namespace twinpath {

// How many channels (ethtool -l) an interface has now; 0 where its driver does not say.
struct Channels {
  uint32_t combined = 0;
  uint32_t rx = 0, tx = 0;
  uint32_t most = 0;  // of the kind that it has
};
Channels InterfaceChannels(const std::string& name);

// What happens to received frames before XDP, or the kernel in generic mode, shows them to a
// program.
struct ReceiveOffloads {
  bool lro = false, gro = false;  // frames are joined, by the device or by the kernel
  bool vlan = false;              // VLAN tags are taken out of the frames
};
ReceiveOffloads InterfaceOffloads(const std::string& name);

// The driver's name, and where its device is on its bus (ethtool -i): "ixgbe", "0000:03:00.0".
// Empty if the driver does not tell.
std::string EthtoolDriver(const std::string& name);
std::string EthtoolBus(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_ETHTOOL_H_
