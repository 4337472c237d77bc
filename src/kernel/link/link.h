// SPDX-License-Identifier: BSD-3-Clause
// Network interfaces by their number (ifindex): a name may change while a program runs, and an
// interface may have several names. Reads only, in the calling thread's network namespace; any
// thread.

#ifndef TWINPATH_KERNEL_LINK_LINK_H_
#define TWINPATH_KERNEL_LINK_LINK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "src/kernel/ethtool.h"

namespace twinpath {

inline constexpr char kLinkUp[] = "up";
inline constexpr char kLinkDown[] = "down";
inline constexpr char kLinkGone[] = "gone";

// The state of the interface with this number: kLinkUp, kLinkDown, or kLinkGone where it is gone.
std::string LinkState(uint32_t index);

// What rtnetlink(7) says of an interface.
struct LinkFacts {
  uint32_t index = 0;
  std::string name;
  uint32_t mtu = 0;         // bytes
  uint32_t flags = 0;       // IFF_*; IFF_PROMISC: its user made it promiscuous
  uint32_t master = 0;      // the number of the bridge or bond that it belongs to; 0: none
  uint64_t tx_dropped = 0;  // frames that the kernel dropped instead of sending
};

// nullopt: there is no such interface.
std::optional<LinkFacts> ReadLink(uint32_t index);
// By its name, or one of its alternative names (ip link property).
std::optional<LinkFacts> FindLink(const std::string& name);

// What somebody may change of an interface while a program uses it.
struct LinkSetup {
  std::string name;
  uint32_t rx_queues = 0;
  uint32_t mtu = 0;     // bytes
  uint32_t master = 0;  // see LinkFacts
  ReceiveOffloads offloads;
};
// nullopt: there is no such interface.
std::optional<LinkSetup> ReadSetup(uint32_t index);

// The number of the interface with this name; 0: there is none.
uint32_t IndexOfLink(const std::string& name);
// The interface's present name; empty: there is none with this number.
std::string NameOfLink(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_LINK_H_
