// SPDX-License-Identifier: BSD-3-Clause
// The path and the records of the control socket. A request is one record, a JSON object, with the
// policy's text in a sealed memfd (memfd_create(2)): the text may be large, nobody can change it
// any more, and reading it never blocks. The answer is one record, {"ok": ...} or {"error": ...},
// which is in a sealed memfd where it is too long for a record, and the record then is "{}";
// a client that asks for it ({"announce": true} in the request) gets {"begun": true} before. Any
// thread.

#ifndef TWINPATH_CONTROL_SOCKET_H_
#define TWINPATH_CONTROL_SOCKET_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

struct sockaddr_un;

namespace twinpath {

inline constexpr size_t kMaxControlRecord = 64 << 10;                        // bytes
inline constexpr size_t kMaxControlText = 32 << 20;                          // bytes of a policy
inline constexpr char kAnnounce[] = "announce", kBegun[] = "begun";          // keys
inline constexpr char kReload[] = "reload", kSet[] = "set", kAsk[] = "ask";  // requests

// The control socket of a file prefix, beside its telemetry socket. InvalidArgument for a prefix
// that is not a file name, or that makes the path too long for a socket.
absl::StatusOr<std::string> ControlSocketPath(const std::string& file_prefix);

// What errno says of a call on the control socket.
absl::Status ControlSocketError(const std::string& call);

sockaddr_un ControlAddress(const std::string& path);

// `text` as a sealed memfd.
absl::StatusOr<FileDescriptor> SealText(std::string_view text);

// The contents of an untrusted sealed memfd. InvalidArgument where `fd` is none, or is too large.
absl::StatusOr<std::string> ReadSealed(int fd);

// A record, and the descriptor that it carried, if any.
struct ControlRecord {
  std::string text;
  FileDescriptor file;
};

// Sends one record with the descriptor `file` (negative: none). Blocks at most for the socket's own
// time-out; raises no signal. An error is that of errno.
absl::Status SendRecord(int socket, std::string_view text, int file = -1);

// Receives one record. Blocks at most for the socket's own time-out: then DeadlineExceeded.
// Unavailable where the other end is closed; InvalidArgument for a record of more than
// kMaxControlRecord bytes.
absl::StatusOr<ControlRecord> ReceiveRecord(int socket);

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_SOCKET_H_
