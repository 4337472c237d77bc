// SPDX-License-Identifier: BSD-3-Clause
// The tc program that runs after an XDP program in generic mode, and sends frames that XDP cannot
// redirect: tp_send_long of bpf/twinpath.bpf.c. Control thread.

#ifndef TWINPATH_XDP_ATTACH_LONG_FRAMES_H_
#define TWINPATH_XDP_ATTACH_LONG_FRAMES_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/xdp/program/maps.h"

namespace twinpath {

class LongFrames {
 public:
  // Loads the program for a run with these maps, which must outlive it.
  static absl::StatusOr<std::unique_ptr<LongFrames>> Load(const XdpMaps& maps);
  ~LongFrames();

  // Attaches the program to the ingress of an interface, for as long as the returned descriptor is
  // open or pinned. Other programs there stay. Unimplemented on kernels before 6.6.
  absl::StatusOr<FileDescriptor> Attach(uint32_t interface_index) const;

 private:
  struct Loaded;
  explicit LongFrames(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_ATTACH_LONG_FRAMES_H_
