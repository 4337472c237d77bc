// SPDX-License-Identifier: BSD-3-Clause
// An XDP program's attachment to an interface. Owned by the control thread.

#ifndef TWINPATH_XDP_ATTACH_LINK_H_
#define TWINPATH_XDP_ATTACH_LINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

// A bpf_link: the kernel detaches the program when the last descriptor of the link is gone, so also
// when its owner is killed; a pin holds one more.
class XdpLink {
 public:
  XdpLink() = default;

  // Attaches `program`; returns 0, or the errno with which the kernel refused. `flags` are
  // XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE.
  int Attach(int program, uint32_t interface_index, uint32_t flags);

  // Puts `program` in the place of the one that is attached, between two frames of a queue: the
  // driver changes one pointer a queue. Returns 0, or the errno with which the kernel refused;
  // ENOLINK where the interface is gone.
  int Replace(int program);

  // False where its interface is gone, also where another one has the number now, and where
  // somebody detached it.
  bool Holds() const;

  // Pins the link at `path`: it then outlives this object.
  absl::Status Pin(const std::string& path);

  // Detaches now, pinned or not.
  void Detach();

 private:
  FileDescriptor fd_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_LINK_H_
