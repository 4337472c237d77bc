// SPDX-License-Identifier: BSD-3-Clause
// What the kernel tells about a network interface and its XDP features. Only reads, in the calling
// thread's network namespace. Any thread.

#ifndef TWINPATH_XDP_ATTACH_INTERFACE_H_
#define TWINPATH_XDP_ATTACH_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath {

struct Interface {
  std::string name;
  uint32_t index = 0;
  std::string driver;      // as ethtool names it; empty if the driver does not tell
  uint32_t rx_queues = 1;  // those in use
};

// NotFound if there is no interface `name`. The message names `port`, whose interface it should be.
absl::StatusOr<Interface> FindInterface(const std::string& port, const std::string& name);

// The device's XDP features, numbered as in linux/netdev.h (since 6.3). nullopt if the kernel does
// not tell.
inline constexpr uint64_t kXdpBasic = 1;     // native mode
inline constexpr uint64_t kXdpXmit = 4;      // takes redirected frames
inline constexpr uint64_t kXdpZeroCopy = 8;  // of AF_XDP
std::optional<uint64_t> XdpFeatures(const Interface& interface);

// Whether the interface now takes frames from programs in native mode. The kernel tells in the
// device's XDP features. True if it does not tell (before 6.3). A veth takes such frames while its
// peer has an XDP program or GRO, and drops them uncounted otherwise.
bool TakesNativeFrames(const Interface& interface);

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_INTERFACE_H_
