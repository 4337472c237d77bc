// SPDX-License-Identifier: BSD-3-Clause
// What a path asks of a network interface before it uses it. Only reads, in the calling
// thread's network namespace. Any thread.

#ifndef TWINPATH_KERNEL_LINK_INTERFACE_H_
#define TWINPATH_KERNEL_LINK_INTERFACE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath {

struct Interface {
  std::string name;  // the main one, when it was found
  uint32_t index = 0;
  std::string driver;      // as ethtool names it; empty if the driver does not tell
  uint32_t rx_queues = 1;  // those in use
};

// NotFound where no interface has `name` as its name or alternative name; the message names `port`,
// the port it was given for.
absl::StatusOr<Interface> FindInterface(const std::string& port, const std::string& name);

// Whether the interface now takes frames that a program in native mode sends it, as the kernel
// keeps it in the device's XDP features; true where the kernel does not tell (before 6.3). A veth
// takes them while its peer has an XDP program, or GRO: without, they vanish.
bool TakesNativeFrames(const Interface& interface);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_INTERFACE_H_
