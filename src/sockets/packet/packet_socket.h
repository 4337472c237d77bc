// SPDX-License-Identifier: BSD-3-Clause
// AF_PACKET sockets (packet(7)), as both directions of an engine need them. Control thread.

#ifndef TWINPATH_SOCKETS_PACKET_PACKET_SOCKET_H_
#define TWINPATH_SOCKETS_PACKET_PACKET_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

// A raw socket that is bound to nothing.
absl::StatusOr<FileDescriptor> OpenPacketSocket();

// Binds it to the interface; with protocol 0 it receives nothing.
absl::Status BindPacket(const FileDescriptor& socket, uint32_t index, uint16_t protocol);

// setsockopt at level SOL_PACKET. The error names `what`.
absl::Status SetPacket(const FileDescriptor& socket, int option, const void* value, size_t size,
                       const char* what);
template <typename T>
absl::Status SetPacket(const FileDescriptor& socket, int option, const T& value, const char* what) {
  return SetPacket(socket, option, &value, sizeof(value), what);
}

// Lets the socket take what comes in, without frames of this mark; or nothing.
absl::Status TakeIncoming(int socket, uint32_t without_mark);
absl::Status TakeNothing(int socket);

// Memory that is shared with the kernel.
class Mapping {
 public:
  Mapping() = default;
  static absl::StatusOr<Mapping> Of(const FileDescriptor& socket, size_t bytes);
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PACKET_PACKET_SOCKET_H_
