// SPDX-License-Identifier: BSD-3-Clause
// Sends and receives records with a file descriptor (sendmsg and recvmsg, unix(7)). Any thread.

#include "src/control/socket.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/telemetry/server/protocol.h"

namespace twinpath {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

absl::Status ControlSocketError(const std::string& call) {
  return absl::ErrnoToStatus(errno, absl::StrCat("control socket: ", call));
}

absl::StatusOr<std::string> ControlSocketPath(const std::string& file_prefix) {
  // This checks the prefix and the length. The control socket's name is not longer.
  absl::StatusOr<std::string> telemetry = TelemetrySocketPath(file_prefix);
  if (!telemetry.ok()) return telemetry.status();
  return RuntimeFolder(file_prefix) + "/twinpath_control";
}

sockaddr_un ControlAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // ControlSocketPath bounds it
  return address;
}

absl::StatusOr<FileDescriptor> SealText(std::string_view text) {
  FileDescriptor file(memfd_create("twinpath-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return ControlSocketError("memfd_create");
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return ControlSocketError("writing the policy");
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return ControlSocketError("F_ADD_SEALS");
  return file;
}

absl::StatusOr<std::string> ReadSealed(int fd) {
  struct stat info = {};
  // Only a memfd has seals, so reading never blocks as on a pipe or on a network disk.
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals || fstat(fd, &info) != 0)
    return absl::InvalidArgumentError(
        "the policy: found a descriptor that is not a sealed memfd, allowed a sealed memfd");
  if (info.st_size < 0 || static_cast<size_t>(info.st_size) > kMaxControlText)
    return absl::InvalidArgumentError(absl::StrCat("the policy: found ", info.st_size,
                                                   " bytes, allowed at most ", kMaxControlText));
  std::string text(static_cast<size_t>(info.st_size), '\0');
  for (size_t done = 0; done < text.size();) {
    const ssize_t count =
        pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count == 0 || (count < 0 && errno != EINTR))
      return ControlSocketError("reading the policy");
    if (count > 0) done += static_cast<size_t>(count);
  }
  return text;
}

absl::Status SendRecord(int socket, std::string_view text, int file) {
  iovec part = {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  if (file >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &file, sizeof(file));
  }
  if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) return ControlSocketError("sendmsg");
  return absl::OkStatus();
}

absl::StatusOr<ControlRecord> ReceiveRecord(int socket) {
  ControlRecord record;
  record.text.resize(kMaxControlRecord);
  iovec part = {.iov_base = record.text.data(), .iov_len = record.text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // Room for one descriptor: the kernel closes any others.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  // The peer closed with unread data. The record that the peer sent before comes next.
  if (size < 0 && errno == ECONNRESET) size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0 && errno == EAGAIN) return absl::DeadlineExceededError("control socket: timed out");
  if (size < 0) return ControlSocketError("recvmsg");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(header) + at, sizeof(file));
      record.file = FileDescriptor(file);
    }
  }
  if (size == 0) return absl::UnavailableError("control socket: closed");
  if (message.msg_flags & MSG_TRUNC)
    return absl::InvalidArgumentError(
        absl::StrCat("a request of more than ", kMaxControlRecord, " bytes"));
  record.text.resize(static_cast<size_t>(size));
  return record;
}

}  // namespace twinpath
