// SPDX-License-Identifier: BSD-3-Clause
// Reads what a driver reports about its interface, by ethtool's ioctl, in the calling thread's
// network namespace; switches GRO. Any thread.

#ifndef TWINPATH_KERNEL_ETHTOOL_H_
#define TWINPATH_KERNEL_ETHTOOL_H_

#include <cstdint>
#include <string>

namespace twinpath {

// The channels (ethtool -l) that an interface has now; 0 if its driver does not report them.
struct Channels {
  uint32_t combined = 0;
  uint32_t rx = 0, tx = 0;
  uint32_t max = 0;  // the limit for the kind that it has
};
Channels InterfaceChannels(const std::string& name);

// What happens to received frames before an XDP program sees them.
struct ReceiveOffloads {
  bool lro = false, gro = false;  // frames are joined, by the device or by the kernel
  bool vlan = false;              // VLAN tags are removed from the frames
};
ReceiveOffloads InterfaceOffloads(const std::string& name);

// Switches GRO on or off (ethtool -K gro). False if the driver or the caller's rights refuse it.
bool SetGro(const std::string& name, bool on);

// The driver's name and its device's address on the bus (ethtool -i): "ixgbe", "0000:03:00.0".
// Empty if the driver does not report them.
std::string EthtoolDriver(const std::string& name);
std::string EthtoolBus(const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_ETHTOOL_H_
