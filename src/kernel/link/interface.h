// SPDX-License-Identifier: BSD-3-Clause
// Reads what the kernel knows about a network interface and its XDP features, in the calling
// thread's network namespace. Any thread.

#ifndef TWINPATH_KERNEL_LINK_INTERFACE_H_
#define TWINPATH_KERNEL_LINK_INTERFACE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath {

struct Interface {
  std::string name;  // the main name, at the time of FindInterface
  uint32_t index = 0;
  std::string driver;      // ethtool's name of it; empty if unknown
  uint32_t rx_queues = 1;  // those in use
};

// Finds an interface by its name or an alternative name. NotFound if there is none; the message
// names `port`, the port that the interface was given for.
absl::StatusOr<Interface> FindInterface(const std::string& port, const std::string& name);

// Whether the interface now accepts frames that a program in native mode sends to it, according to
// the device's XDP features; true if the kernel does not report them (before 6.3). A veth accepts
// frames while its peer has an XDP program or GRO; otherwise the frames vanish.
bool TakesNativeFrames(const Interface& interface);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_INTERFACE_H_
