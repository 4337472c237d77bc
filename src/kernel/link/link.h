// SPDX-License-Identifier: BSD-3-Clause
// Reads network interfaces by netlink, in the calling thread's network namespace; /sys may show
// another one. A running program uses the index (ifindex), because a name may change and an
// interface may have several names. Any thread.

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
  uint32_t rx_queues = 0, tx_queues = 0;  // that the device was created with, used or not
  uint32_t lower = 0;       // the index of the interface below it, or of a veth's peer; 0: none
  bool elsewhere = false;   // `lower` is an index of another network namespace
  uint32_t master = 0;      // the index of the bridge or bond that it belongs to; 0: none
  uint64_t tx_packets = 0;  // frames that were sent
  uint64_t tx_dropped = 0;  // frames that the kernel dropped instead of sending
};

// The longest frame that the kernel sends by an interface with this MTU, in bytes: the MTU, an
// Ethernet header and room for a VLAN tag (is_skb_forwardable, xdp_ok_fwd_dev).
// A packet socket has the room for the tag only if the frame has one (packet(7)).
constexpr uint32_t kVlanTag = 4;
constexpr uint32_t LongestFrame(uint32_t mtu) { return mtu + 14 + kVlanTag; }

// Reads an interface by index. Nullopt if the namespace has no such interface.
std::optional<Link> ReadLink(uint32_t index);
// Reads an interface by its name or an alternative name (ip link property).
std::optional<Link> FindLink(const std::string& name);
// All interfaces of the namespace, including lo, ordered by index.
std::vector<Link> ReadLinks();

// The index of the interface with this name; 0: there is none.
uint32_t IndexOfLink(const std::string& name);
// The current name of the interface with this index; empty: there is none.
std::string NameOfLink(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_LINK_H_
