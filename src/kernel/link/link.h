// SPDX-License-Identifier: BSD-3-Clause
// What the kernel says of network interfaces, by netlink: in the calling thread's network
// namespace, whatever /sys shows. A program that runs asks by number (ifindex): a name may change
// meanwhile, and an interface may have several names. Any thread; reads only.

#ifndef TWINPATH_KERNEL_LINK_LINK_H_
#define TWINPATH_KERNEL_LINK_LINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twinpath {

struct Link {
  uint32_t index = 0;
  std::string name;
  std::string kind;                       // "veth", "vlan", "bridge"; empty: hardware, or lo
  std::string address;                    // "02:00:00:00:00:01"; empty: none
  uint32_t mtu = 0;                       // bytes
  uint32_t flags = 0;                     // IFF_*; IFF_PROMISC: its user made it promiscuous
  uint32_t rx_queues = 0, tx_queues = 0;  // that the device was made with, used or not
  uint32_t lower = 0;       // the index of the interface below it, or of a veth's peer; 0: none
  bool elsewhere = false;   // `lower` is an index of another network namespace
  uint32_t master = 0;      // the index of the bridge or bond that it belongs to; 0: none
  uint64_t tx_packets = 0;  // frames that were sent
  uint64_t tx_dropped = 0;  // frames that the kernel dropped instead of sending
};

// By number. nullopt: the namespace has no such interface.
std::optional<Link> ReadLink(uint32_t index);
// By its name, or one of its alternative names (ip link property).
std::optional<Link> FindLink(const std::string& name);
// All interfaces of the namespace, lo included, by index.
std::vector<Link> ReadLinks();

// The number of the interface with this name; 0: there is none.
uint32_t IndexOfLink(const std::string& name);
// The interface's present name; empty: there is none with this number.
std::string NameOfLink(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_LINK_H_
