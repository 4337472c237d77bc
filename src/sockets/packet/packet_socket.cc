// SPDX-License-Identifier: BSD-3-Clause
// System calls, and a filter of the classic kind (Documentation/networking/filter.rst).

#include "src/sockets/packet/packet_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>

namespace twinpath {
namespace {

constexpr uint32_t kWhole = UINT32_MAX;

sock_filter Ancillary(int field) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(SKF_AD_OFF + field)};
}

absl::Status SetFilter(int socket, sock_filter* code, size_t count) {
  const sock_fprog program = {static_cast<unsigned short>(count), code};
  if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "SO_ATTACH_FILTER");
}

}  // namespace

absl::StatusOr<FileDescriptor> OpenPacketSocket() {
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return absl::ErrnoToStatus(errno, "socket(AF_PACKET)");
  return socket;
}

absl::Status BindPacket(const FileDescriptor& socket, uint32_t index, uint16_t protocol) {
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = static_cast<int>(index);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "bind(AF_PACKET)");
}

absl::Status SetPacket(const FileDescriptor& socket, int option, const void* value, size_t size,
                       const char* what) {
  if (setsockopt(socket.get(), SOL_PACKET, option, value, static_cast<socklen_t>(size)) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, what);
}

absl::Status TakeIncoming(int socket, uint32_t without_mark) {
  sock_filter code[] = {
      Ancillary(SKF_AD_MARK),          {BPF_JMP | BPF_JEQ | BPF_K, 3, 0, without_mark},
      Ancillary(SKF_AD_PKTTYPE),       {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PACKET_OUTGOING},
      {BPF_RET | BPF_K, 0, 0, kWhole}, {BPF_RET | BPF_K, 0, 0, 0},
  };
  return SetFilter(socket, code, std::size(code));
}

absl::Status TakeNothing(int socket) {
  sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  return SetFilter(socket, code, std::size(code));
}

absl::StatusOr<Mapping> Mapping::Of(const FileDescriptor& socket, size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, socket.get(), 0);
  if (data == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap of a packet ring");
  Mapping made;
  made.data_ = static_cast<uint8_t*>(data);
  made.bytes_ = bytes;
  return made;
}

Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace twinpath
