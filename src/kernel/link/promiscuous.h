// SPDX-License-Identifier: BSD-3-Clause
// Lets an interface receive frames for any MAC address while an object lives. The kernel counts
// this apart from what the interface's user set (ip link set promisc), and ends it with the
// process, however the process ends. Any thread.

#ifndef TWINPATH_KERNEL_LINK_PROMISCUOUS_H_
#define TWINPATH_KERNEL_LINK_PROMISCUOUS_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Promiscuous {
 public:
  // Of no interface.
  Promiscuous() = default;
  // Of the interface with this number, until it disappears or goes to another network namespace.
  // PermissionDenied without CAP_NET_RAW.
  static absl::StatusOr<Promiscuous> Hold(uint32_t index);

  // Whether there is an interface that is held.
  bool Holds() const;

 private:
  explicit Promiscuous(FileDescriptor socket) : socket_(std::move(socket)) {}
  FileDescriptor socket_;
};

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_PROMISCUOUS_H_
