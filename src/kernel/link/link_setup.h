// SPDX-License-Identifier: BSD-3-Clause
// Reads the settings of an interface that may change while a program uses it, in the calling
// thread's network namespace. Any thread.

#ifndef TWINPATH_KERNEL_LINK_LINK_SETUP_H_
#define TWINPATH_KERNEL_LINK_LINK_SETUP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "src/kernel/ethtool.h"

namespace twinpath {

inline constexpr char kLinkUp[] = "up";
inline constexpr char kLinkDown[] = "down";
inline constexpr char kLinkGone[] = "gone";

// The state of the interface with this index: kLinkUp, kLinkDown, or kLinkGone if there is none.
std::string LinkState(uint32_t index);

struct LinkSetup {
  std::string name;
  uint32_t rx_queues = 0;
  uint32_t mtu = 0;     // bytes
  uint32_t master = 0;  // see Link
  ReceiveOffloads offloads;
};
// Nullopt if there is no such interface.
std::optional<LinkSetup> ReadSetup(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_LINK_SETUP_H_
