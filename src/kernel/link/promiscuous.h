// SPDX-License-Identifier: BSD-3-Clause
// Makes an interface promiscuous while an object exists. The kernel counts this separately from the
// user's setting (ip link set promisc), and ends it when the process ends, in whatever way. Any
// thread.

#ifndef TWINPATH_KERNEL_LINK_PROMISCUOUS_H_
#define TWINPATH_KERNEL_LINK_PROMISCUOUS_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Promiscuous {
 public:
  // Holds no interface.
  Promiscuous() = default;
  // Holds the interface with this index promiscuous, until it disappears or moves to another
  // network namespace. PermissionDenied without CAP_NET_RAW.
  static absl::StatusOr<Promiscuous> Hold(uint32_t index);

  // Whether the interface is still held.
  bool Holds() const;

 private:
  explicit Promiscuous(FileDescriptor socket) : socket_(std::move(socket)) {}
  FileDescriptor socket_;
};

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_PROMISCUOUS_H_
