// SPDX-License-Identifier: BSD-3-Clause
// The XDP program that gives each frame of an interface to the AF_XDP socket of its RX queue, and
// drops it where the queue has none. Behind the driver (generic mode) it also meets the frames that
// are sent back for the stack (StackGuard). So these begin with a header of their own, which it
// takes off, and passes the frame. Control thread.

#ifndef TWINPATH_SOCKETS_AF_XDP_REDIRECT_H_
#define TWINPATH_SOCKETS_AF_XDP_REDIRECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class Redirect {
 public:
  // Attaches it to the interface with this number: in the driver, else behind it. The kernel
  // detaches it when the object, or its process, ends. FailedPrecondition: the interface carries
  // another program.
  static absl::StatusOr<std::shared_ptr<Redirect>> Attach(uint32_t index, uint32_t queues,
                                                          uint32_t mark);

  absl::Status Give(uint32_t queue, int socket);
  void Take(uint32_t queue);

  bool native() const { return native_; }
  // What is to be in front of a frame for the stack; empty in the driver.
  std::vector<uint8_t> Prefix() const;
  // Why it is not in the driver.
  const std::string& why() const { return why_; }

 private:
  Redirect() = default;
  FileDescriptor map_, program_, link_;
  uint32_t mark_ = 0;
  bool native_ = true;
  std::string why_;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_AF_XDP_REDIRECT_H_
