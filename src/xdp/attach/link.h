// SPDX-License-Identifier: BSD-3-Clause
// The attachment of an XDP program to an interface. Owned by the control thread.

#ifndef TWINPATH_XDP_ATTACH_LINK_H_
#define TWINPATH_XDP_ATTACH_LINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

// Pins a bpf_link at `path`.
absl::Status PinLink(int link, const std::string& path);

// A bpf_link. The kernel detaches the program when the last reference to the link is gone, even if
// its owner was killed. A pin is one more reference.
class XdpLink {
 public:
  XdpLink() = default;

  // Attaches `program`. Returns 0, or the errno with which the kernel refused it. `flags` is
  // XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE.
  int Attach(int program, uint32_t interface_index, uint32_t flags);

  // Replaces the attached program by `program`. Each queue changes between two frames, because the
  // driver changes one pointer for each queue. Returns 0, or the errno with which the kernel
  // refused it: ENOLINK if the interface disappeared.
  int Replace(int program);

  // Whether the program is still attached. False if the interface disappeared (even if another one
  // has its index now), or if somebody detached the link.
  bool Holds() const;

  // Pins the link at `path`, so that it outlives this object.
  absl::Status Pin(const std::string& path);

  // Detaches now, even if pinned.
  void Detach();

 private:
  FileDescriptor fd_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_LINK_H_
